"""Data sets: entries that hold together, sums of the publications' tables, and data of another kind refused."""

from __future__ import annotations

import re

import pytest

from scalecalc.errors import UsageError
from scalecalc.estimate import dataset, datasets, estimate
from scalecalc.walk import walk
from scalecalc.walk.task import SAMPLES, TASKS
from tests.walk.graphs import graph


@pytest.mark.parametrize("name", datasets())
def test_entries(name: str) -> None:
    found = datasets()[name]
    assert found.name == name == name.lower()
    assert found.samples
    assert set(found.samples) <= set(SAMPLES)
    assert all(type(count) is int and count > 0 for count in found.samples.values())
    assert TASKS[found.task][0] == found.modality
    assert ("token" in found.samples) == bool(found.tokenizer)
    assert 1990 <= found.year <= 2026
    assert re.search(r"(19|20)\d\d", found.source)
    assert len(found.source) > 20
    assert found.classes is None or found.classes > 1
    assert not found.about or all(count % 10_000 == 0 for count in found.samples.values())


def test_names_are_distinct() -> None:
    names = [name for found in datasets().values() for name in (found.name, *found.aliases)]
    assert len(names) == len({name.replace("-", "") for name in names})
    for name in ("mnist", "MNIST", "Fashion-MNIST", "fashionmnist", "imagenet", "ImageNet-1k", "the_pile", "pile"):
        assert dataset(name)
    assert dataset("CIFAR-10").name == "cifar10"
    assert dataset("ImageNet 1k").name == "imagenet1k"


def test_sums_of_published_tables() -> None:
    """LibriSpeech: hours of its three training parts; utterances of the same; ADE20K, VOC: as the papers count."""
    speech = datasets()["librispeech960"].samples
    assert speech["second"] == round((100.6 + 363.6 + 496.7) * 3600)
    assert speech["example"] == 28_539 + 104_014 + 148_688
    assert datasets()["cifar10"].samples["example"] == 5 * 10_000  # five batches
    assert datasets()["mnist"].samples["example"] == 70_000 - 10_000  # all but the test set
    assert datasets()["imagenet1k"].samples["example"] == 1_431_167 - 50_000 - 100_000  # all of ILSVRC2012, less
    assert datasets()["gcide"].samples["token"] == (39_952_321 // 65 - 2048 - 1024) * 64  # blocks, less those held out
    assert datasets()["enwik8"].samples["token"] == 10**8 - 2 * 5 * 10**6
    assert datasets()["libri-light"].samples["second"] == round(57_706.4 * 3600)


IMAGE = "(float[n,1,28,28] x) => (float[n,10] y) <float[784,10] w> { a = Flatten(x)  y = MatMul(a, w) }"
TEXT = """(int64[n,64] ids) => (float[n,64,500] y) <float[500,8] table, float[8,500] w> {
    e = Gather(table, ids)  y = MatMul(e, w)
}"""
SPEECH = """(float[n,samples] x) => (float[n,a,32] y) <float[8,1,400] w, float[8,32] v> {
    one = Constant<value = int64[1] {1}>()
    u = Unsqueeze(x, one)
    c = Conv<strides=[320]>(u, w)
    t = Transpose<perm=[0,2,1]>(c)
    y = MatMul(t, v)
}"""
UNKNOWN = "(float[n,8] x) => (float[n,2] y) <float[8,2] w> { y = MatMul(x, w) }"
MODELS = {"image": IMAGE, "text": TEXT, "audio": SPEECH, "unknown": UNKNOWN}


def asked(model: str, name: str, **options):
    sizes = {"samples": 16_000} if model == "audio" else {}
    return estimate(walk(graph(MODELS[model])), 1e12, dataset=dataset(name), sizes=sizes, **options)


FITS = [
    # model, data set, sample, distinct samples
    ("image", "mnist", None, 60_000),
    ("image", "imagenet1k", None, 1_281_167),
    ("text", "wikitext103", None, 103_227_021),
    ("audio", "librispeech960", None, 281_241),
    ("audio", "librispeech960", "second", 3_459_240),
    ("unknown", "mnist", None, 60_000),
]


@pytest.mark.parametrize(("model", "name", "sample", "unique"), FITS)
def test_a_data_set_gives_its_samples(model: str, name: str, sample: str | None, unique: int) -> None:
    answer = asked(model, name, sample=sample)
    assert (answer.plan.unique, answer.plan.corpus, answer.run.dataset.name) == (unique, name, name)
    assert not any("one pass" in line for line in answer.assumptions)


REFUSED = [
    # model, data set, sample, what it says
    ("image", "c4", None, "c4 is of modality text, the model's is image; use for example mnist, fashion-mnist, "),
    ("text", "imagenet1k", None, "imagenet1k is of modality image, the model's is text; use for example openwebtext, "),
    ("audio", "mnist", None, "mnist is of modality image, the model's is audio; use for example librispeech960, "),
    (
        "audio",
        "libri-light",
        None,
        "libri-light is counted in seconds, the model's samples are examples; give --unique",
    ),
    ("audio", "speech-commands", "second", "is counted in examples, the model's samples are seconds; give --unique"),
    ("text", "imdb", None, "imdb is counted in examples, the model's samples are tokens; give --unique in tokens"),
    ("text", "c4", "example", "c4 is counted in tokens, the model's samples are examples"),
    ("unknown", "c4", None, "c4 is counted in tokens, the model's samples are examples"),
]


@pytest.mark.parametrize(("model", "name", "sample", "says"), REFUSED)
def test_data_of_another_kind_are_refused(model: str, name: str, sample: str | None, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        asked(model, name, sample=sample)
    assert str(caught.value).startswith("--dataset: ")
    assert says in str(caught.value)
    assert asked(model, name, sample=sample, unique=1234.0).plan.unique == 1234  # unless the number is given


OPEN = [
    # model, data set, options, the assumption
    ("text", "the-pile", {}, "the-pile holds about 371B tokens, as published (--unique)"),
    ("text", "the-pile", {}, "the-pile was counted in tokens of gpt2; others give another number (--unique)"),
    ("unknown", "mnist", {}, "the model is of modality image, as mnist (--task)"),
    ("image", "cifar100", {}, "cifar100 has 100 classes, the model 10"),
]


@pytest.mark.parametrize(("model", "name", "options", "line"), OPEN)
def test_what_a_data_set_leaves_open(model: str, name: str, options, line: str) -> None:
    assert line in asked(model, name, **options).assumptions


USUAL = [("image", "(--unique, or --dataset mnist)"), ("audio", "(--unique, or --dataset librispeech960)"),
         ("unknown", "(--unique)")]  # fmt: skip


@pytest.mark.parametrize(("model", "hint"), USUAL)
def test_a_data_set_is_proposed_where_none_is_named(model: str, hint: str) -> None:
    sizes = {"samples": 16_000} if model == "audio" else {}
    assert f"one pass over the data {hint}" in estimate(walk(graph(MODELS[model])), 1e12, sizes=sizes).assumptions


def test_a_stated_tokenizer_answers_the_question() -> None:
    lines = asked("text", "openwebtext", tokenizer="GPT2").assumptions
    assert not any("openwebtext" in line for line in lines)


@pytest.mark.parametrize(("name", "todo"), [("imgnet", "did you mean imagenet"), ("xyz", "scalecalc datasets lists")])
def test_unknown_names(name: str, todo: str) -> None:
    with pytest.raises(UsageError, match=f"--dataset: no data set '{name}'; {todo}"):
        dataset(name)
