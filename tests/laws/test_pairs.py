"""Thirty models asked with thirty laws: what each law may say of each, and on what assumption."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

import scalecalc
from scalecalc.estimate.budgets import Budget
from scalecalc.estimate.inspection import inspect
from scalecalc.estimate.planning import planned
from scalecalc.laws import Plan, shipped
from scalecalc.walk import Profile

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
    ("gpt3", {}, "kumar-2024", "no value (set P_w)"),
    # characters are no pieces of words: neither D nor the loss per token is of one kind
    ("gpt2", {"tokenizer": "char"}, "hoffmann-2022", "other tokens"),
    ("gpt2", {"tokenizer": "bytes"}, "kaplan-2020-joint", "other tokens"),
    ("mixtral", {}, "hoffmann-2022", DENSE),
    ("mixtral", {}, "kaplan-2020-joint", DENSE),
    ("deepseek-v3", {}, "besiroglu-2024", DENSE),
    ("mamba", {}, "besiroglu-2024", {"N": "exact", "D": "converted"}),
    ("gpt2", {}, "kaplan-2020-n", "unlimited data"),
    ("gpt2", {}, "kaplan-2020-compute", FRONTIER),
    ("gpt2", {}, "cerebras-gpt-2023", FRONTIER),
    ("gpt2", {}, "deepseek-2024-batch", SETTINGS),
    ("gpt2", {}, "porian-2024", "a form: N_0 without a value"),
    ("bert", {}, "hoffmann-2022", LANGUAGE),
    ("t5", {}, "besiroglu-2024", LANGUAGE),
    ("transformer", {}, "ghorbani-2021", "a form"),
    ("whisper", {}, "kaplan-2020-joint", LANGUAGE),
    ("resnet", {}, "kaplan-2020-joint", "another modality: the law's is text, the model's image"),
    ("resnet", {}, "seed-exponential", "other data: the law's has 10 classes, the model's 1,000"),
    ("vit", {}, "zhai-2022-finetune", FRONTIER),
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
    if {"data", "unique"} & known.keys():
        known = {"compute": None, **known}
    binding = LAWS[law].bind(profile, replace(plan, **known))
    if isinstance(expected, str):
        assert not binding.usable
        assert expected in binding.why
    else:
        assert binding.usable
        assert {bound.symbol: bound.status for bound in binding.variables} == expected
        assert binding.predict().value > 0


def test_there_are_thirty():
    assert len(PAIRS) >= 30
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
