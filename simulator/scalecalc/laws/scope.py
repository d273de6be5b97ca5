"""Whether a law speaks of a model's kind at all: hard mismatches refuse, soft ones are listed as assumptions."""

from __future__ import annotations

from scalecalc.laws.conventions import ANY, UNKNOWN
from scalecalc.laws.law import Law
from scalecalc.laws.plan import Plan

NOT_PREDICTING = {
    "frontier": "it speaks of the best model at C, not of this one: see OPTIMUM",
    "allocation": "it gives the best N and D, not a performance: see OPTIMUM",
    "curve": "it describes one run over time",
    "hyperparameter": "it gives training settings, not a performance: see SETTINGS",
    "link": "it turns one metric into another",
}

LETTERS = ("char", "chars", "character", "characters", "byte", "bytes", "letters")
"""Tokenizers whose tokens are so much smaller than others' that neither D nor the loss is of one kind with theirs."""


def mismatches(law: Law, plan: Plan) -> list[str]:
    """Reasons why the law says nothing about this model; empty if it may."""
    from scalecalc.walk.task import ALIASES  # loaded with the model

    scope, reasons = law.applies_to, []
    task = None if plan.task is None else ALIASES.get(plan.task, plan.task)
    pairs = ("task", ALIASES.get(scope.task, scope.task), task), ("modality", scope.modality, plan.modality)
    for word, theirs, ours in pairs:
        if theirs == ANY or (theirs == UNKNOWN and law.method):  # a fit of one's own, see `assumptions`
            continue
        if ours is None:
            reasons.append(f"the model's {word} is unknown (--task), the law's is {theirs}")
        elif plain(ours) != plain(theirs):
            reasons.append(f"another {word}: the law's is {theirs}, the model's {ours}")
    for word, limit, size in (
        ("classes", scope.classes, plan.classes),
        ("numbers per sample", scope.input_elements, plan.input_elements),
    ):
        if limit is not None and size is not None and size != limit:
            reasons.append(f"other data: the law's has {limit:,} {word}, the model's {size:,}")
    letters, known = of_letters(plan.tokenizer), of_letters(law.metric.tokenizer)
    per_token = "/token" in law.metric.unit or law.kind in ("allocation", "hyperparameter")
    # a fit of one's own that does not say what its tokens are is taken to know them
    fitted = law.metric.tokenizer == UNKNOWN and bool(law.method)
    per_token = per_token and scope.modality == "text"
    if letters and not known and not fitted and per_token:
        reasons.append(f"other tokens: the law's are pieces of words, the model's of {plan.tokenizer}")
    if known and not letters and per_token:
        ours = plan.tokenizer or "pieces of words"
        reasons.append(f"other tokens: the law's are of {law.metric.tokenizer}, the model's {ours} (--tokenizer)")
    if plan.sparse and not routed(law):
        reasons.append("a mixture of experts: the models behind the law are dense")
    if routed(law) and not plan.sparse:
        reasons.append("a dense model: those behind the law are mixtures of experts")
    if "limit" in law.regime:
        reasons.append(f"it assumes {law.regime['limit']}")
    return reasons


def routed(law: Law) -> bool:
    """Whether it speaks of mixtures of experts."""
    return any("routed" in name for name in law.applies_to.family)


def assumptions(law: Law, plan: Plan) -> list[str]:
    """What is taken for granted when the law is applied to this model."""
    scope, notes = law.applies_to, []
    if scope.task == UNKNOWN and law.method:
        notes.append("the law does not say what was trained: taken to be models like this one (calibrate --task)")
    for word, theirs, ours in (("corpus", scope.corpus, plan.corpus), ("family", scope.family, plan.family)):
        names = [plain(name) for name in theirs]
        if names and ours is None:
            notes.append(f"{word} as the law's: {', '.join(theirs)}")
        elif names and ours is not None and plain(ours) not in names:
            notes.append(f"another {word}: the law's is {', '.join(theirs)}, the model's {ours}")
    if scope.classes is not None and plan.classes is None:
        notes.append(f"{scope.classes} classes, as the law's data")
    if scope.input_elements is not None and plan.input_elements is None:
        notes.append(f"{scope.input_elements:,} numbers per sample, as the law's data")
    if "/token" in law.metric.unit:
        notes.append(_tokens(law.metric.tokenizer, plan.tokenizer))
    if plan.unique and plan.seen and plan.seen > 1.001 * plan.unique:
        epochs = plan.seen / plan.unique
        notes.append(f"{epochs:.3g} passes over the data; the law's runs: {law.regime.get('epochs', UNKNOWN)}")
    return notes


def _tokens(theirs: str, ours: str | None) -> str:
    if theirs != UNKNOWN and ours is not None and plain(theirs) == plain(ours):
        return f"same tokenizer ({theirs})"
    own = "its own tokenizer" if theirs == UNKNOWN else f"its own tokenizer ({theirs})"
    return f"loss per token of {own}: not comparable across tokenizers"


def of_letters(tokenizer: str | None) -> bool:
    """Whether its tokens are characters or bytes."""
    return plain(tokenizer or "") in LETTERS


def shares(law: Law, plan: Plan) -> tuple[bool, bool]:
    """Whether corpus and tokenizer are the law's."""
    corpus = plan.corpus is not None and plain(plan.corpus) in map(plain, law.applies_to.corpus)
    tokenizer = plan.tokenizer is not None and plain(plan.tokenizer) == plain(law.metric.tokenizer)
    return corpus, tokenizer


def plain(name: str) -> str:
    """A name as it is compared: case, hyphens, spaces and underscores do not matter."""
    return name.lower().replace("_", "-").replace(" ", "-")
