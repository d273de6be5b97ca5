"""What the forms of a model's inputs and outputs say about its task."""

from __future__ import annotations

from functools import cached_property

from scalecalc.dims import Dim, evaluate, prod, total
from scalecalc.walk.profile import Profile

Shape = tuple[Dim, ...]
Guess = tuple[str | None, int | None]
FEW_CHANNELS = 4
BANDS = (40, 64, 80, 96, 128)
"""Usual numbers of mel bands of a spectrogram."""
TYPICAL = 256
"""What a free size is taken for where only ratios matter."""
DENSE = 8
"""A prediction for pixels is at most that many times coarser than the image."""


class Forms:
    """The inputs of a profile by what they hold: tokens, pictures, sound.

    Attributes:
        tokens: names of the integer inputs that are looked up in a vocabulary.
        dense: name of the floating-point input that holds pictures or sound, or else the first input; None without any.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.inputs = {name: shape for name, shape in profile.inputs.items() if shape}
        looked_up = profile.facts.get("token_inputs")
        self.tokens = [name for name in looked_up if name in self.inputs] if isinstance(looked_up, tuple) else []
        first = next(iter(self.inputs), None)
        if not self.tokens and first is not None and profile.facts.get("vocabulary") is not None:
            self.tokens = [first] if self._is_integer(first) and len(self.inputs[first]) <= 2 else []
        self.dense = self._dense()

    def _dense(self) -> str | None:
        """Beside tokens, a floating-point input is data only where convolutions read it: others are states."""
        if not self.tokens:
            return next(iter(self.inputs), None)
        if not self.profile.facts.get("convolutions"):
            return None
        for name, shape in self.inputs.items():
            if not self._is_integer(name) and (self._channels(shape) is not None or _time(shape) is not None):
                return name
        return None

    def _is_integer(self, name: str) -> bool:
        return not self.profile.input_dtypes.get(name, "").startswith(("float", "bfloat", "double"))

    @staticmethod
    def _channels(shape: Shape) -> int | None:
        """The axis of a picture's few channels."""
        if len(shape) not in (4, 5):
            return None
        axes = (1, len(shape) - 1) if len(shape) == 4 else (1, 2, len(shape) - 1)
        return next((axis for axis in axes if isinstance(size := shape[axis], int) and size <= FEW_CHANNELS), None)

    @cached_property
    def main(self) -> str | None:
        """The input whose examples are counted."""
        return self.dense if self.dense is not None else next(iter(self.tokens), None)

    @cached_property
    def examples(self) -> Dim:
        """Examples in one run of the graph."""
        if self.main is None:
            return 1
        shape = self.inputs[self.main]
        return shape[batch_axis(self.profile, shape)]

    def _example(self, name: str) -> Shape:
        shape = self.inputs[name]
        axis = batch_axis(self.profile, shape)
        return (*shape[:axis], *shape[axis + 1 :])

    @cached_property
    def example(self) -> Shape | None:
        """One example of the main input, without batch."""
        return self._example(self.main) or None if self.main is not None else None

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """One example as text, for every input that holds data."""
        names = [name for name in dict.fromkeys((self.dense, *self.tokens)) if name is not None]
        shapes = {name: " x ".join(map(str, self._example(name))) for name in names}
        return tuple(f"{text}{' tokens' * (name in self.tokens)}" for name, text in shapes.items() if text)

    @cached_property
    def tokens_per_run(self) -> Dim | None:
        """Tokens in one run of the graph, of all inputs that hold some; None where none does."""
        names = self.tokens
        if not names and self.main is not None:
            shape = self.inputs[self.main]
            names = [self.main] if len(shape) == 3 or (len(shape) <= 2 and self._is_integer(self.main)) else []
        return total((1, prod(self.inputs[name][:2])) for name in names) if names else None

    @cached_property
    def time(self) -> tuple[str, Dim] | None:
        """Of an input that may be sound: `raw` or `frames`, and how many steps it has."""
        if self.dense is None or self._is_integer(self.dense) or not self.profile.facts.get("convolutions"):
            return None
        return _time(self.inputs[self.dense])

    @cached_property
    def outputs(self) -> list[Shape]:
        return [shape for shape in self.profile.outputs.values() if shape is not None]

    @property
    def _result(self) -> Shape:
        return self.outputs[0] if self.outputs else ()

    @cached_property
    def _headless(self) -> bool:
        """Whether the last layer is a hidden one."""
        return self.profile.params["head"].formula == 0

    def guess(self) -> Guess:
        """The task and, of a classifier, the number of classes."""
        if self.tokens:
            writes = bool(self._result) and self._result[-1] == self.profile.facts.get("vocabulary")
            if self.time is not None:
                return "automatic-speech-recognition", None
            if self.dense is not None:
                return ("image-text-to-text" if writes else "zero-shot-image-classification"), None
            return self._of_text(writes)
        if self.dense is None or self._is_integer(self.dense):
            return None, None
        shape = self.inputs[self.dense]
        if len(shape) == 4:
            return self._of_images(shape)
        if len(shape) == 5:
            return self._of_video()
        return self._of_sound() if self.time is not None else (None, None)

    def _of_text(self, writes: bool) -> Guess:
        rank, last = len(self.inputs[self.tokens[0]]), _squeezed(self._result)
        states = [shape for name, shape in self.inputs.items() if len(shape) == 3 and not self._is_integer(name)]
        if len(self.tokens) > 1 or (writes and states and not self.profile.facts.get("recurrent")):
            return "text2text-generation", None
        if writes:
            return ("language-modeling" if self._causal else "masked-language-modeling"), None
        if len(last) > rank:
            tags = len(self.outputs) == 1 and not self._headless
            return ("token-classification", _last_number(last)) if tags else ("text-encoding", None)
        if len(self.outputs) == 2 and self.outputs[0] == self.outputs[1] == self.inputs[self.tokens[0]]:
            return "question-answering", None
        return "text-classification", _last_number(last)

    @property
    def _causal(self) -> bool:
        facts = self.profile.facts
        if facts.get("causal") or facts.get("attention_macs"):
            return bool(facts["causal"])
        return bool(facts.get("recurrent")) and not facts.get("bidirectional")

    def _of_images(self, shape: Shape) -> Guess:
        result, last = self._result, _squeezed(self._result)
        if self._detects(shape):
            return "object-detection", None
        if len(result) == 4 and (scale := self._scale(shape, result)) * DENSE >= 1:
            channel = 3 if self._channels(shape) == 3 else 1
            classes = result[channel]
            if classes in (3, shape[channel]) or scale > 1:
                return "image-to-image", None
            return "image-segmentation", classes if isinstance(classes, int) else None
        if len(last) == 2 or (len(last) == 1 and len(result) >= 2):
            return ("image-encoding", None) if self._headless else ("image-classification", _last_number(last))
        return ("image-encoding" if len(last) in (3, 4) else None), None

    def _detects(self, shape: Shape) -> bool:
        """Boxes beside scores; heads of several resolutions; or, of a network of convolutions, a list of anchors."""
        batch = shape[0]
        boxes = [x for x in self.outputs if x and x[-1] == 4 and (len(x) == 3 or (len(x) == 2 and x[0] != batch))]
        if boxes and len(self.outputs) > 1:
            return True
        if len(self._result) == 3 and not self.profile.facts.get("attention_macs"):
            return bool(self.profile.facts.get("convolutions"))
        heads = [x for x in self.outputs if len(x) in (4, 5)]
        spans = {(x[-3:-1] if len(x) == 5 else x[-2:]) for x in heads}
        return len(spans) > 1 and len({(len(x), x[1]) for x in heads}) == 1

    def _scale(self, shape: Shape, result: Shape) -> float:
        """How much longer a side of the output is than the input's."""
        sizes = {name: symbol.hint or TYPICAL for name, symbol in self.profile.symbols.items()}
        axis = 1 if self._channels(shape) == 3 else 2
        before, after = evaluate(shape[axis], sizes), evaluate(result[axis], sizes)
        return after / before if before and after else 0.0

    def _of_video(self) -> Guess:
        last = _squeezed(self._result)
        return ("video-classification", _last_number(last)) if len(last) == 2 and not self._headless else (None, None)

    def _of_sound(self) -> Guess:
        if self._headless:
            return "audio-encoding", None
        if len(self._result) == 3:
            return "automatic-speech-recognition", None
        return "audio-classification", _last_number(_squeezed(self._result))


def batch_axis(profile: Profile, shape: Shape) -> int:
    """Which axis counts examples: the one whose symbol is a batch, else the first."""
    for axis, dim in enumerate(shape):
        symbol = profile.symbols.get(str(dim))
        if symbol is not None and symbol.kind == "batch":
            return axis
    return 0


def _time(shape: Shape) -> tuple[str, Dim] | None:
    """`raw` or `frames`, and the axis along which sound runs: the waveform alone, or one of bands and frames."""
    if len(shape) == 2:
        return "raw", shape[1]
    if len(shape) != 3:
        return None
    for channel, time in ((1, 2), (2, 1)):
        size, steps = shape[channel], shape[time]
        if size == 1:
            return "raw", steps
        if isinstance(size, int) and size in BANDS and (not isinstance(steps, int) or steps > max(BANDS)):
            return "frames", steps
    return None


def _squeezed(shape: Shape) -> Shape:
    return (*shape[:1], *(dim for dim in shape[1:] if not (isinstance(dim, int) and dim == 1)))


def _last_number(shape: Shape) -> int | None:
    return shape[-1] if len(shape) > 1 and isinstance(shape[-1], int) else None
