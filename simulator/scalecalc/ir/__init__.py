"""The graph every front end produces and the walk consumes."""

from scalecalc.ir.graph import Function, Graph, Initializer, Node, TensorType, Unknown

__all__ = ["Function", "Graph", "Initializer", "Node", "TensorType", "Unknown"]
