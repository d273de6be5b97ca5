"""What a model is for, guessed from its inputs, outputs and structure; and what one sample of its data is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from scalecalc.dims import Dim
from scalecalc.errors import UsageError
from scalecalc.walk.forms import Forms
from scalecalc.walk.profile import Profile

TASKS = {
    # task: (modality, sample, in words); Hugging Face's names where they tell the modality
    "language-modeling": ("text", "token", "causal language model"),
    "masked-language-modeling": ("text", "token", "masked language model"),
    "text2text-generation": ("text", "token", "text encoder-decoder"),
    "text-encoding": ("text", "token", "text encoder"),
    "text-classification": ("text", "example", "text classifier"),
    "token-classification": ("text", "example", "token classifier"),
    "question-answering": ("text", "example", "extractive question answering"),
    "image-classification": ("image", "example", "image classifier"),
    "image-segmentation": ("image", "example", "image segmentation"),
    "object-detection": ("image", "example", "object detector"),
    "image-to-image": ("image", "example", "image-to-image network"),
    "image-encoding": ("image", "example", "image encoder"),
    "video-classification": ("video", "example", "video classifier"),
    "automatic-speech-recognition": ("audio", "example", "speech recogniser"),
    "audio-classification": ("audio", "example", "audio classifier"),
    "audio-encoding": ("audio", "example", "audio encoder"),
    "zero-shot-image-classification": ("image-text", "example", "contrastive image-text model"),
    "image-text-to-text": ("image-text", "token", "vision-language model"),
    "recommendation": ("tabular", "example", "recommender"),
}
ALIASES = {
    "text-generation": "language-modeling",
    "fill-mask": "masked-language-modeling",
    "translation": "text2text-generation",
    "summarization": "text2text-generation",
    "semantic-segmentation": "image-segmentation",
    "image-feature-extraction": "image-encoding",
}
"""Other names for them."""
SAMPLES = ("example", "token", "second")
RATES = {"raw": 16_000, "frames": 100}
"""Input steps in a second of audio: raw samples at 16 kHz, frames of a spectrogram 10 ms apart."""


@dataclass(frozen=True, slots=True)
class Task:
    """A task with what one sample of its data is.

    Attributes:
        name: one of TASKS, or of a law; None where nothing could be guessed.
        modality: `image`, `text`, `audio`, `video`, `image-text`, `tabular`, or None.
        sample: `example` (an image, a sequence, a clip, a pair), `token`, or `second` of audio. Tokens of an
            encoder-decoder are those of both sides, as each passes through one of its halves.
        words: for people.
        family: `cnn`, `transformer`, `rnn`, or None.
        classes: of a classifier, None else.
        shape: one example of the main input without batch, where it is known.
        parts: one example as text, for every input that holds data: `3 x 224 x 224`, `77 tokens`.
        examples: in one run of the graph, a formula.
        steps: what `per_second` divides: samples in one run of the graph, a formula, times that.
        per_second: input steps in one sample: 1 but for seconds of audio.
        guessed: nobody stated it.
        remarks: what was assumed of a sample.
    """

    name: str | None
    modality: str | None
    sample: str
    words: str
    family: str | None
    classes: int | None
    shape: tuple[Dim, ...] | None
    parts: tuple[str, ...]
    examples: Dim = 1
    steps: Dim = 1
    per_second: int = 1
    guessed: bool = True
    remarks: tuple[str, ...] = field(default=())


def guess(profile: Profile, *, task: str | None = None, sample: str | None = None) -> Task:
    """The task of a profile; `task` and `sample` overrule what its structure suggests.

    Args:
        profile: from `walk`.
        task: one of TASKS or ALIASES, or a law's; what the file states of itself comes before a guess.
        sample: one of SAMPLES; `second@8000` states how many input steps a second of audio has.

    Raises:
        UsageError: the model has no such sample.
    """
    forms = Forms(profile)
    name, classes = forms.guess()
    stated = profile.facts.get("task")
    if task is None and isinstance(stated, str):
        task = stated
    modality, usual, words = TASKS.get(name or "", (None, "example", "task unknown"))
    found = Task(name, modality, usual, words, _family(profile), classes, forms.example, forms.parts)
    if task is not None:
        task = ALIASES.get(task, task)
        modality, usual, words = TASKS.get(task, (None, found.sample, task))
        if usual == "token" and forms.tokens_per_run is None:
            usual = "example"
        parts = () if modality == "tabular" else found.parts  # columns of categories are no tokens
        found = replace(found, name=task, modality=modality, sample=usual, words=words, parts=parts, guessed=False)
    found = replace(found, examples=forms.examples)
    return _sampled(found, forms, sample or found.sample)


def _sampled(task: Task, forms: Forms, sample: str) -> Task:
    sample, _, rate = sample.partition("@")
    if sample == "token":
        if forms.tokens_per_run is None:
            raise UsageError("the model takes no tokens", where="--sample", todo="use example")
        return replace(task, sample=sample, steps=forms.tokens_per_run)
    if sample == "second":
        return _seconds(task, forms, rate)
    return replace(task, sample=sample, steps=task.examples)


def _seconds(task: Task, forms: Forms, rate: str) -> Task:
    if forms.time is None:
        raise UsageError("the model takes no audio", where="--sample", todo="use example")
    kind, axis = forms.time
    if rate and not (rate.isascii() and rate.isdecimal() and len(rate) < 10 and int(rate)):
        what = f"'{rate:.40}' is no number of input steps a second"
        raise UsageError(what, where="--sample", todo="write for example second@16000")
    per_second = int(rate) if rate else RATES[kind]
    unit = "numbers" if kind == "raw" else "frames"
    remarks = () if rate else (f"{per_second:,} {unit} in a second of audio (--sample second@{per_second})",)
    return replace(task, sample="second", steps=task.examples * axis, per_second=per_second, remarks=remarks)


def _family(profile: Profile) -> str | None:
    if profile.facts.get("attention_macs"):
        return "transformer"
    if profile.facts.get("recurrent"):
        return "rnn"
    return "cnn" if profile.facts.get("convolutions") else None
