"""Keras models: by tf2onnx from TensorFlow, and by jax2onnx from JAX functions.

Truth is Keras' own: parameters by `count_params`, matrix FLOPs by TensorFlow's profiler of the frozen graph. The
profiler does not see inside recurrent loops; there the multiply-accumulates are worked out by hand.
"""
