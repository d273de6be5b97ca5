"""Models of the zoo asked with laws: what each law may say of each, and on what assumption."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import pytest

import scalecalc
from scalecalc.estimate.budgets import Budget
from scalecalc.estimate.inspection import inspect
from scalecalc.estimate.planning import planned
from scalecalc.laws import Plan, bind, shipped
from scalecalc.walk import Profile
from scalecalc.walk.task import ALIASES, TASKS

LAWS = shipped()
SEED = "models/vision/seed_cnn.onnx"
GIVEN = {"data": 1e10, "unique": 1e9}
BITS = {"extra": {"P_w": 8, "P_a": 8, "P_kv": 8}}
DENSE, LANGUAGE = "a mixture of experts", "another task: the law's is language-modeling"
FRONTIER, SETTINGS = "see OPTIMUM", "it gives training settings"

PAIRS = [
    # model, what is known of the run beside its budget, law, status of each variable or why it is refused
    ("chinchilla", {}, "hoffmann-2022", {"N": "exact", "D": "converted"}),
    ("gpt2", {}, "hoffmann-2022-unrounded", {"N": "exact", "D": "converted"}),
    ("gpt2", {"data": 1e10}, "besiroglu-2024", {"N": "exact", "D": "exact"}),
    # non-embedding parameters; the distinct tokens are those seen until somebody says otherwise
    ("gpt2:xl", {}, "kaplan-2020-joint", {"N": "exact", "D": "assumed"}),
    ("gpt2", GIVEN, "kaplan-2020-joint", {"N": "exact", "D": "exact"}),
    # the law counts GPT-2's tokens; a LLaMA's are longer
    ("llama-2", {**GIVEN, "tokenizer": "llama"}, "kaplan-2020-joint", {"N": "exact", "D": "assumed"}),
    ("gpt2", {**GIVEN, "tokenizer": "gpt2"}, "muennighoff-2023", {"N": "assumed", "D": "exact", "U": "exact"}),
    ("gpt2", {}, "muennighoff-2023", {"N": "assumed", "D": "converted", "U": "assumed"}),
    ("gpt3", BITS, "kumar-2024",
     {"N": "exact", "D": "converted", "P_w": "exact", "P_a": "exact", "P_kv": "exact"}),
    ("gpt3", {}, "kumar-2024", "P_a, P_kv, P_w: no value (scalecalc predict kumar-2024 --set P_a=...)"),
    ("gpt2", {"extra": {"N_v": 50_257 * 768}}, "tao-2024-loss", {"N": "exact", "D": "converted", "N_v": "exact"}),
    ("llama-3", {"tokenizer": "llama-3"}, "besiroglu-2024", {"N": "exact", "D": "converted"}),
    # ten passes are not ten times the data: a law of one pass takes them for that, one of repeated data does not
    ("gpt2", GIVEN, "besiroglu-2024", {"N": "exact", "D": "assumed"}),
    ("gpt2", {"unique": 1e9}, "hoffmann-2022", {"N": "exact", "D": "assumed"}),
    ("gpt2", {"unique": 1e15}, "hoffmann-2022", {"N": "exact", "D": "converted"}),
    # a budget that sees a part of the distinct tokens only: D of distinct ones is what is seen
    ("gpt2", {"unique": 1e15}, "kaplan-2020-joint", {"N": "exact", "D": "converted"}),
    # characters are no pieces of words: neither D nor the loss per token is of one kind
    ("gpt2", {"tokenizer": "char"}, "hoffmann-2022", "other tokens"),
    ("gpt2", {"tokenizer": "bytes"}, "kaplan-2020-joint", "other tokens"),
    ("mixtral", {}, "hoffmann-2022", DENSE),
    ("mixtral", {}, "kaplan-2020-joint", DENSE),
    ("deepseek-v3", {}, "besiroglu-2024", DENSE),
    ("mixtral", {"extra": {"G": 1}}, "krajewski-2024", {"N": "exact", "D": "converted", "G": "exact"}),
    ("mixtral", {}, "krajewski-2024", "G: no value"),
    ("deepseek-v3", {"extra": {"experts": 256}}, "clark-2022-s-base", "it assumes 130B tokens"),
    ("gpt2", {"extra": {"G": 1}}, "krajewski-2024", "a dense model"),
    ("llama-2", {"extra": {"experts": 1}}, "clark-2022-hash", "a dense model"),
    ("mamba", {}, "besiroglu-2024", {"N": "exact", "D": "converted"}),
    ("gpt2", {}, "kaplan-2020-n", "unlimited data"),
    ("gpt2", {}, "kaplan-2020-compute", FRONTIER),
    ("gpt2", {}, "cerebras-gpt-2023", FRONTIER),
    ("gpt2", {}, "deepseek-2024-batch", SETTINGS),
    ("gpt2", {}, "deepseek-2024-best-n", "it gives the best N and D"),
    ("chinchilla", {}, "hoffmann-2022-approach-1", "it gives the best N and D"),
    ("gpt2", {}, "porian-2024", "it gives the best N and D"),
    ("gpt3", {}, "henighan-2020-language", FRONTIER),
    ("gpt2", {}, "gadre-2024-error", "a form"),
    ("gpt2", {}, "hestness-2017-words", "the best of many model sizes"),
    ("gpt2", {}, "henighan-2020-math", "another task: the law's is math-modeling"),
    ("bert", {}, "hoffmann-2022", LANGUAGE),
    ("t5", {}, "besiroglu-2024", LANGUAGE),
    ("bert", {"tokenizer": "gpt2"}, "muennighoff-2023", LANGUAGE),
    ("transformer", {}, "ghorbani-2021", "a form"),
    ("transformer", {}, "hoffmann-2022", LANGUAGE),
    ("seq2seq-lstm", {}, "hestness-2017-translation-512", "it assumes an encoder and decoder of 512 hidden units"),
    ("seq2seq-lstm", {}, "hestness-2017-speech", "another modality: the law's is audio, the model's text"),
    ("whisper", {}, "kaplan-2020-joint", LANGUAGE),
    ("deepspeech-2", {}, "hestness-2017-speech", "it assumes the best of many model sizes"),
    ("conformer", {}, "droppo-2021", "a form"),
    ("wav2vec2", {}, "hestness-2017-speech", "another task: the law's is automatic-speech-recognition"),
    ("resnet", {}, "kaplan-2020-joint", "another modality: the law's is text, the model's image"),
    ("resnet", {}, "seed-exponential", "other data: the law's has 10 classes, the model's 1,000"),
    ("resnet", {}, "hestness-2017-images", "a form: a without a value"),
    ("resnet", {}, "zhai-2022-finetune", FRONTIER),
    ("vit", {}, "zhai-2022-finetune", FRONTIER),
    ("vit", {}, "zhai-2022-10shot", FRONTIER),
    ("vit", {}, "henighan-2020-image-32", "another task: the law's is image-modeling"),
    ("vit", {}, "besiroglu-2024", "another task"),
    ("unet", {}, "seed-exponential", "another task"),
    (SEED, {"compute": 1e14}, "seed-exponential", {"C": "exact"}),
    (SEED, {"compute": 2e15}, "seed-exponential", "accuracy would exceed 1"),
    ("lenet5", {"compute": 1e14}, "seed-exponential", "other data: the law's has 784 numbers per sample"),
    ("dlrm", {}, "seed-exponential", "another task: the law's is image-classification, the model's recommendation"),
]  # fmt: skip


@cache
def asked(model: str) -> tuple[Profile, Plan]:
    """A model, and its training with 1e20 FLOP."""
    profile = scalecalc.profile(model)
    return profile, planned(inspect(profile), Budget(1e20)).plan


@pytest.mark.parametrize(("model", "known", "law", "expected"), PAIRS)
def test_what_a_law_says_of_a_model(model, known, law, expected):
    profile, plan = asked(model)
    if "data" in known:
        known = {"compute": None, **known}
    binding = LAWS[law].bind(profile, replace(plan, **known))
    if isinstance(expected, str):
        assert not binding.usable
        assert expected in binding.why
    else:
        assert binding.usable
        assert {bound.symbol: bound.status for bound in binding.variables} == expected
        assert math.isfinite(binding.predict().value)


@pytest.mark.parametrize("name", sorted(name for name, law in LAWS.items() if law.applies_to.task != "any"))
def test_a_law_names_its_task_as_models_do(name):
    """By another name no model would ever meet it."""
    task = LAWS[name].applies_to.task
    assert task not in ALIASES
    assert task in TASKS or task.endswith("-modeling")  # which no file tells: --task


@pytest.mark.parametrize(("model", "task"), [("transformer", "translation"), ("t5", "summarization")])
def test_a_law_of_ones_own_may_name_it_as_people_do(model, task):
    profile, plan = asked(model)
    law = LAWS["besiroglu-2024"]
    own = replace(law, applies_to=replace(law.applies_to, task=task))
    assert own.bind(profile, plan).usable


def test_there_are_many():
    assert len(PAIRS) >= 50
    assert {"exact", "converted", "assumed"} <= {
        s for *_, found in PAIRS if isinstance(found, dict) for s in found.values()
    }


def test_the_counts_are_the_laws_own():
    """GPT-2: 124,439,808 in all, 85,056,000 beside its tables."""
    profile, plan = asked("gpt2")
    values = {name: LAWS[name].bind(profile, plan).values["N"] for name in ("hoffmann-2022", "kaplan-2020-joint")}
    assert values == {"hoffmann-2022": 124_439_808, "kaplan-2020-joint": 85_056_000}


def test_a_mamba_is_told_that_the_laws_models_were_transformers():
    profile, plan = asked("mamba")
    assert "family as the law's: transformer" in LAWS["besiroglu-2024"].bind(profile, plan).notes


def test_a_fit_of_ones_own_knows_its_tokens():
    """Runs on characters give a law of characters, whether or not its file says so."""
    profile, plan = asked("gpt2")
    fitted = replace(LAWS["besiroglu-2024"], method={"loss": "huber"})
    letters = replace(plan, tokenizer="char")
    assert fitted.bind(profile, letters).usable
    assert not replace(fitted, method={}).bind(profile, letters).usable
    assert "other tokens" in bind(LAWS["li-2025-batch"], profile, letters, setting=True).why
