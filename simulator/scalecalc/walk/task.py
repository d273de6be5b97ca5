"""What a model is for, guessed from its inputs, outputs and structure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from scalecalc.dims import Dim, prod
from scalecalc.walk.profile import Profile

TASKS = {
    # task: (modality, sample, in words)
    "language-modeling": ("text", "token", "causal language model"),
    "masked-language-modeling": ("text", "token", "masked language model"),
    "text-encoding": ("text", "token", "text encoder"),
    "text-classification": ("text", "example", "text classifier"),
    "image-classification": ("image", "example", "image classifier"),
    "image-to-image": ("image", "example", "image-to-image network"),
}
SAMPLES = ("token", "example")


@dataclass(frozen=True, slots=True)
class Task:
    """A task with what one sample of its data is.

    Attributes:
        name: one of TASKS, None where nothing could be guessed.
        modality: `image`, `text`, or None.
        sample: `token` or `example`.
        words: for people.
        family: `cnn`, `transformer`, `rnn`, or None.
        classes: of a classifier, None else.
        shape: one sample's shape without batch, where it is known.
        per_step: samples in one run of the graph, a formula.
        guessed: nobody stated it.
    """

    name: str | None
    modality: str | None
    sample: str
    words: str
    family: str | None
    classes: int | None
    shape: tuple[Dim, ...] | None
    per_step: Dim
    guessed: bool = True


def guess(profile: Profile, *, task: str | None = None, sample: str | None = None) -> Task:
    """The task of a profile; `task` and `sample` overrule what its structure suggests."""
    found = _guess(profile)
    if task is not None:
        modality, usual, words = TASKS.get(task, (None, found.sample, task))
        found = replace(found, name=task, modality=modality, sample=usual, words=words, guessed=False)
    if sample is not None:
        found = replace(found, sample=sample)
    return replace(found, per_step=_per_step(profile, found.sample))


def _guess(profile: Profile) -> Task:
    classes: int | None = None
    name: str | None = None
    main = next(iter(profile.inputs.items()), ("", ()))
    shape, dtype = main[1], profile.input_dtypes.get(main[0], "")
    result = next((dims for dims in profile.outputs.values() if dims is not None), ())
    last = _squeezed(result)
    vocabulary = profile.facts.get("vocabulary")
    if dtype.startswith("int") and vocabulary is not None and len(shape) <= 2:
        if len(last) >= len(shape) + 1:
            is_head = result[-1] == vocabulary
            causal = bool(profile.facts.get("causal"))
            name = ("language-modeling" if causal else "masked-language-modeling") if is_head else "text-encoding"
        else:
            name, classes = "text-classification", _number(last)
    elif len(shape) == 4 and not dtype.startswith("int"):
        if len(last) == 2 or (len(last) == 1 and len(result) >= 2):
            name, classes = "image-classification", _number(last)
        elif len(last) == 4:
            name = "image-to-image"
    modality, sample, words = TASKS.get(name or "", (None, "example", "task unknown"))
    family = None
    if profile.facts.get("attention_macs"):
        family = "transformer"
    elif profile.facts.get("recurrent"):
        family = "rnn"
    elif profile.facts.get("convolutions"):
        family = "cnn"
    axis = _batch_axis(profile, shape)
    rest = (*shape[:axis], *shape[axis + 1 :])
    return Task(name, modality, sample, words, family, classes, rest or None, 1)


def _batch_axis(profile: Profile, shape: tuple[Dim, ...]) -> int:
    """Which axis counts examples: the one whose symbol is a batch, else the first."""
    for axis, dim in enumerate(shape):
        symbol = profile.symbols.get(str(dim))
        if symbol is not None and symbol.kind == "batch":
            return axis
    return 0


def _squeezed(dims: tuple[Dim, ...]) -> tuple[Dim, ...]:
    return (*dims[:1], *(dim for dim in dims[1:] if not (isinstance(dim, int) and dim == 1)))


def _number(dims: tuple[Dim, ...]) -> int | None:
    return dims[-1] if len(dims) > 1 and isinstance(dims[-1], int) else None


def _per_step(profile: Profile, sample: str) -> Dim:
    shape = next(iter(profile.inputs.values()), ())
    if not shape:
        return 1
    return prod(shape[:2]) if sample == "token" else shape[_batch_axis(profile, shape)]
