"""Which column is what: N, D, U, C and P under their usual names, and what each name says of its count."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from scalecalc.errors import UsageError, nearest

ROLES = {
    "N": "parameters", "D": "samples seen", "U": "distinct samples", "C": "training compute", "P": "performance",
    "run": "the run a checkpoint belongs to", "seed": "its random seed", "model": "a model's name or file",
    "se": "standard error of the performance", "steps": "optimiser steps",
    "train": "the performance on what was trained on",
}  # fmt: skip
"""What a column may be."""
SPELLINGS = {
    "N": "n params param parameters nparams numparams numparameters modelsize nparameters nontotal ntotal totalparams "
         "paramstotal totalparameters nonembeddingparams nonembparams nonembeddingparameters nnonemb nnonembedding "
         "paramsnonembedding paramsnonemb nactive activeparams activeparameters paramsactive linearparams nlinear",
    "D": "d tokens ntokens dtokens trainingtokens traintokens tokensseen seentokens numtokens totaltokens data dseen "
         "samples nsamples samplesseen seensamples examples nexamples seenexamples examplesseen images imagesseen "
         "trainingsamples trainingexamples dsamples",
    "U": "u unique uniquetokens uuniquetokens dunique uniquesamples uniqueexamples uunique datasetsize uniquedata",
    "C": "c compute flop flops trainingflop trainingflops trainflops totalflops cflops computeflops "
         "trainingflopsreported flopstotal trainingcompute exactflops",
    "P": "p loss testloss valloss validationloss evalloss finalloss testxent valxent xent piletestxent crossentropy "
         "error testerror valerror errorrate accuracy acc testaccuracy valaccuracy top1 top1accuracy performance",
    "run": "run runid runname name experiment trial",
    "seed": "seed randomseed",
    "model": "model modelname modelfile architecture",
    "se": "se stderr standarderror lossse lossstderr sem losssem",
    "steps": "steps nsteps numsteps optimizersteps optimisersteps trainingsteps trainsteps updates", "train": "",
}  # fmt: skip
BY_SPELLING = {spelling: role for role, text in SPELLINGS.items() for spelling in text.split()}
SETS = ("test", "validation", "val", "eval", "final")
"""What a performance's column may be of, the one to be predicted first."""
SAYS = {
    "ncount": "n_count", "paramscount": "n_count", "dmeaning": "d_meaning", "ccount": "c_count",
    "computecount": "c_count", "sample": "sample", "lossof": "loss_of",
}  # fmt: skip
"""Columns that say in every row what `Stated` says of the table."""
HIGHER = ("acc", "top1", "bleu", "f1", "auc")
"""Parts of a performance's name that say more is better."""


@dataclass(frozen=True)
class Columns:
    """Columns by role.

    Attributes:
        of: role to column.
        given: roles the user mapped.
    """

    of: Mapping[str, str]
    given: frozenset[str]

    def count(self, role: str) -> str | None:
        """What a column's name says it counts; None if nothing."""
        return said(self.of[role]) if role in self.of else None


def recognise(
    names: Sequence[str], given: Mapping[str, str], source: str, n_count: str | None = None, metric: str | None = None
) -> Columns:
    """The roles of a table's columns.

    Args:
        names: of its columns.
        given: column by role, as the user says.
        source: for messages.
        n_count: which of several columns of N is meant.
        metric: which of several performances.

    Raises:
        UsageError: a role or column there is not, or several columns for one role.
    """
    of: dict[str, str] = {}
    for role, name in given.items():
        if role not in ROLES:
            what, todo = f"'{role:.40}' is nothing a column can be", f"use {', '.join(ROLES)}"
            raise UsageError(what, where="--column", todo=todo)
        if name not in names:
            raise UsageError(f"{source} has no column '{name:.60}'", where="--column", todo=nearest(name, names))
        of[role] = name
    metric = metric or ("loss" if "loss_of" in names else None)  # as RunLogger writes beside what it is of
    if metric is not None and "P" not in of and (wanted := _performance(names, metric)) is not None:
        of["P"] = wanted
    found: dict[str, list[str]] = {}
    for name in names:
        usual = BY_SPELLING.get(plain(name))
        if usual is not None and usual not in of and name not in of.values():
            found.setdefault(usual, []).append(name)
    for role, candidates in found.items():
        of[role] = _one(role, candidates, source, n_count, metric)
    if "P" not in of:
        todo = near_role("P", names)
        raise UsageError(f"no column of {source} is known as performance", where="--column", todo=todo)
    if metric is not None and "P" not in given and better(metric) != better(of["P"]):
        what = f"no column of {source} is {metric:.60}"
        raise UsageError(what, where="--metric", todo=f"map it: --column P=NAME; {of['P']} is another performance")
    if "train" not in of and (train := _trained(names, of["P"])) is not None:
        of["train"] = train
    return Columns(of, frozenset(given))


def _performance(names: Sequence[str], metric: str) -> str | None:
    """The column of a metric, of test data before others."""
    plains = {plain(name): name for name in reversed(names)}
    wanted = (plain(metric), *(part + plain(metric) for part in SETS))
    return next((plains[text] for text in wanted if text in plains), None)


def _trained(names: Sequence[str], performance: str) -> str | None:
    """The column of the same metric on what was trained on."""
    metric = plain(performance)
    for part in SETS:
        metric = metric.removeprefix(part)
    return next((name for name in names if plain(name) in (f"train{metric}", f"training{metric}")), None)


def near_role(role: str, names: Iterable[str]) -> str:
    """What to do where no column has a role: the nearest name, and how to map it."""
    from difflib import get_close_matches

    plains = {plain(name): name for name in names}
    for spelling in SPELLINGS[role].split():
        if near := get_close_matches(spelling, plains, 1, 0.7):
            return f"is it {plains[near[0]]}? write --column {role}={plains[near[0]]}"
    listed = ", ".join(plains.values())
    return f"map one: --column {role}=NAME; it has {listed[:200]}"


def _one(role: str, candidates: Sequence[str], source: str, n_count: str | None, metric: str | None) -> str:
    if len(candidates) == 1:
        return candidates[0]
    if role == "P" and metric is not None:
        what, todo = f"no column of {source} is called {metric:.60}", f"choose: --column P={candidates[0]}"
        raise UsageError(what, where="--metric", todo=todo)
    if role == "N":
        counted = {said(name) or "total": name for name in candidates}
        if len(counted) == len(candidates) and (name := counted.get(n_count or "total")) is not None:
            return name
    what = f"{', '.join(candidates)} of {source} may all be {ROLES[role]}"
    raise UsageError(what, where="--column", todo=f"choose: --column {role}={candidates[0]}")


def plain(name: str) -> str:
    """A column's name without case, blanks and marks, and without where a tracker of experiments found it.

    >>> plain("Training FLOP"), plain("config.n_params")
    ('trainingflop', 'nparams')
    """
    return re.sub("[^a-z0-9]", "", re.sub(r"^(config|summary|hparams|args)[./_]", "", name.lower()))


def said(name: str) -> str | None:
    """The count a column's name states.

    >>> said("params_total"), said("n_non_embedding"), said("tokens seen"), said("params")
    ('total', 'non_embedding', 'seen', None)
    """
    text = plain(name)
    for words, count in (
        (("nonemb",), "non_embedding"), (("total",), "total"), (("active",), "active"), (("linear",), "linear"),
        (("unique",), "unique"), (("seen",), "seen"), (("exact",), "exact"),
    ):  # fmt: skip
        if any(word in text for word in words):
            return count
    return None


def sample_of(name: str) -> str | None:
    """The sample a column of D or U counts."""
    text = plain(name)
    for word, sample in (("token", "token"), ("image", "example"), ("example", "example")):
        if word in text:
            return sample
    return None


def better(name: str) -> str:
    """Whether less or more of a performance is better.

    >>> better("val_loss"), better("top-1 accuracy")
    ('lower', 'higher')
    """
    return "higher" if any(word in plain(name) for word in HIGHER) else "lower"
