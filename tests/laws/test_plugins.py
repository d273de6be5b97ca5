"""Names until used; broken third parties warn, clashes raise."""

from __future__ import annotations

import importlib.metadata
import math
from types import SimpleNamespace

import pytest

from scalecalc.errors import LawError, ScalecalcError
from scalecalc.laws import catalogue, load
from scalecalc.plugins import table


@pytest.fixture
def entry_points(monkeypatch):
    """Installs pretended entry points: (name, target, distribution)."""

    def install(*entries):
        points = [SimpleNamespace(name=n, value=v, dist=d and SimpleNamespace(name=d)) for n, v, d in entries]
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points)

    return install


def test_built_ins_and_third_parties_share_a_table(entry_points):
    entry_points(("theirs", "math:tau", "acme"))
    found = table("scalecalc.laws", {"ours": "math:pi"})
    assert {name: plugin.load() for name, plugin in found.items()} == {
        "ours": math.pi,
        "theirs": math.tau,
    }
    assert found["theirs"].origin == "acme"


@pytest.mark.parametrize("target", ["no_such_module_at_all:x", "math:no_such_name"])
def test_a_broken_plug_in_warns_and_names_its_distribution(entry_points, target):
    entry_points(("theirs", target, "acme"))
    plugin = table("scalecalc.laws")["theirs"]
    with pytest.warns(UserWarning, match="'theirs' of acme is left out"):
        assert plugin.load() is None


def test_a_broken_built_in_raises(entry_points):
    entry_points()
    with pytest.raises(ModuleNotFoundError):
        table("scalecalc.laws", {"ours": "no_such_module_at_all:x"})["ours"].load()


CLASHES = [
    [("ours", "math:tau", "acme")],
    [("x", "math:tau", "acme"), ("x", "math:pi", "other")],
    [("x", "math:tau", "acme"), ("x", "math:tau", "other")],
]


@pytest.mark.parametrize("entries", CLASHES)
def test_a_clash_raises(entry_points, entries):
    entry_points(*entries)
    with pytest.raises(ScalecalcError, match="comes from both"):
        table("scalecalc.laws", {"ours": "math:pi"})


def test_a_distribution_listed_twice_is_no_clash(entry_points):
    """As an editable install beside its wheel is."""
    entry_points(("x", "math:tau", "acme"), ("x", "math:tau", "acme"))
    assert list(table("scalecalc.laws")) == ["x"]


def test_laws_of_a_plug_in(entry_points, tmp_path, monkeypatch):
    (tmp_path / "acme_laws.py").write_text("from scalecalc.laws import load\nFILE = __file__[:-3] + '.yaml'\nBAD = 3\n")
    (tmp_path / "acme_laws.yaml").write_text(
        "name: acme-2026\nkind: conditional\nformula: 2*N\nN: {}\nsource: {citation: own}\n"
        "metric: {name: loss, unit: nat, better: lower}\napplies_to: {modality: text, task: language-modeling}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    entry_points(("acme", "acme_laws:FILE", "acme"))
    assert load("acme-2026").evaluate(N=2) == 4
    entry_points(("acme", "acme_laws:FILE", "acme"), ("again", "acme_laws:FILE", "other"))
    with pytest.raises(LawError, match="comes from both acme and other"):
        catalogue()
    entry_points(("acme", "acme_laws:BAD", "acme"))
    with pytest.raises(LawError, match="not a Law or a path"):
        catalogue()
