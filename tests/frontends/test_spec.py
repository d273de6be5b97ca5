"""Specifications: what they build, and what is said of those that are wrong."""

from __future__ import annotations

import resource
import time
from typing import Any

import pytest

from scalecalc.errors import FileError, ScalecalcError
from scalecalc.estimate.sizes import settle
from scalecalc.frontends.spec import parse, read
from scalecalc.walk import Profile, walk
from tests.frontends.wrong_specs import BLOCK, HEAD, WRONG, layers


def built(text: str | bytes, variant: str = "", **sizes: int) -> Profile:
    return walk(parse(text, "m.yaml", variant=variant).graph(), sizes=sizes)


def total(profile: Profile, group: str = "params", key: str = "trainable", **sizes: int) -> int:
    value = getattr(profile, group)[key].value({"batch": 1, "seq": 8, "d_model": 64, "n_head": 4, **sizes})
    assert value is not None
    return int(value)


def test_a_repeat_is_a_factor() -> None:
    """100,000 layers of 64 x 64 weights and 64 biases, and as many products as weights for each of 8 tokens."""
    text = layers("{repeat: n, layers: [residual: [dense: d_model]]}", head=HEAD.replace("n_head: 4", "n: 100000"))
    graph = parse(text, "m.yaml").graph()
    assert len(graph.nodes) < 12
    found = walk(graph)
    assert str(found.params["trainable"].formula) == "d_model**2*n + d_model*n"
    assert total(found, n=100_000) == 100_000 * (64 * 64 + 64)
    assert total(found, "forward", "macs", n=100_000) == 8 * 100_000 * 64 * 64


@pytest.mark.parametrize("kind", ["relu", "layer_normalization"])
def test_states_between_runs_are_kept_once(kind: str) -> None:
    """Written out and repeated are the same: n + 1 states between n runs, each kept where something needs it."""
    body = "dense: d_model", kind
    listed = ", ".join(f"{{{entry}}}" if ":" in entry else entry for entry in body)
    first, last = "{dense: d_model, name: first}", "dense: 10"
    for ends in ((), (last,)):
        repeated = built(layers(first, f"{{repeat: 5, layers: [{listed}]}}", *ends))
        written = built(layers(first, *[line for _ in range(5) for line in body], *ends))
        for group in ("params", "forward", "training", "memory"):
            for key in getattr(written, group):
                if (group != "params" or key == "trainable") and key != "bytes":
                    assert total(repeated, group, key) == total(written, group, key), (ends, group, key)


def test_kept_states_by_hand() -> None:
    """Of 8 tokens: the input of `first`, then of each of 5 products its input; the last result is needed by none."""
    found = built(layers("{dense: d_model, name: first}", "{repeat: 5, layers: [{dense: d_model}]}"))
    assert total(found, "memory", "activations") == 4 * 8 * 64 * (1 + 5)
    behind = built(layers("{dense: d_model, name: first}", "{repeat: 5, layers: [{dense: d_model}]}", "dense: 10"))
    assert total(behind, "memory", "activations") == 4 * 8 * 64 * (1 + 5 + 1)


def test_a_repeat_of_one_and_of_none() -> None:
    assert total(built(layers("{repeat: 1, layers: [dense: d_model]}"))) == 64 * 64 + 64
    assert total(built(layers("{repeat: 0, layers: [dense: d_model]}", "dense: 2"))) == 2 * 64 + 2


def test_unrolled_with_an_index() -> None:
    """Widths 8, 16 and 24 on 64 entries: 64*8 + 8 + 8*16 + 16 + 16*24 + 24."""
    found = built(layers("{repeat: 3, index: i, layers: [dense: 8*(i + 1)]}"))
    assert total(found) == 64 * 8 + 8 + 8 * 16 + 16 + 16 * 24 + 24


def test_blocks_with_parameters() -> None:
    found = built(layers("{block: ff, width: 10}", "{block: ff, width: 5, factor: 3}", head=HEAD + BLOCK))
    assert total(found) == (64 * 20 + 20 + 20 * 64 + 64) + (64 * 15 + 15 + 15 * 64 + 64)


def test_a_division_that_leaves_no_rest() -> None:
    """64 / 4 = 16 at the values of the file, and the requirement is tested there."""
    assert total(built(layers("{dense: d_model/4, use_bias: false}"))) == 64 * 16
    assert total(built(layers("{dense: d_model//3, use_bias: false}"))) == 64 * 21


def test_a_symbol_that_follows_from_one_a_layer_needs_as_a_number() -> None:
    """The kernel is a number; the filters, twice that, stay a symbol: 3 x 5 x 5 weights for each of 10 filters."""
    head = "symbols: {taps: 5, wide: 2*taps, batch: }\ninputs:\n  image: [batch, 3, 32, 32]\n"
    found = built(layers("{conv2d: wide, kernel_size: taps, use_bias: false}", head=head))
    assert settle(found).sizes == {"batch": 1, "wide": 10}
    assert str(found.params["trainable"].formula) == "75*wide"


def test_weights_of_another_layer() -> None:
    found = built(layers("{dense: d_model, name: a}", "{dense: d_model, weights: a}"))
    assert total(found) == 64 * 64 + 64


def test_variants_change_symbols() -> None:
    text = layers("dense: d_model") + "variants:\n  big: {symbols: {d_model: 128}}\n"
    assert [s.hint for s in built(text, "big").symbols.values() if s.name == "d_model"] == [128]
    with pytest.raises(FileError, match=r"no variant 'bog'; did you mean big\?"):
        parse(text, "m.yaml", variant="bog")
    with pytest.raises(
        FileError, match=r"m.yaml:11: variants.big.symbols.model: no symbol 'model'; did you mean d_model?"
    ):
        parse(text.replace("symbols: {d_model", "symbols: {model"), "m.yaml", variant="big")


SECONDS, MEGABYTES = 1, 300


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said_in_one_line(what: str) -> None:
    text, says = WRONG[what]
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(FileError) as caught:
        built(text)
    assert time.process_time() - start < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEGABYTES * 1000
    line = str(caught.value)
    assert line.startswith("m.yaml")
    assert says in line
    assert "; " in line, "what to do"
    assert len(line) < 600


def test_large_and_unreadable_files(tmp_path: Any) -> None:
    large = tmp_path / "large.yaml"
    with large.open("wb") as file:
        file.truncate(100_000_000)
    for path, says in (
        (large, "is larger than 1,000,000 bytes"),
        (tmp_path, "directory"),
        (tmp_path / "no.yaml", "No such"),
    ):
        start = time.process_time()
        with pytest.raises(ScalecalcError, match=says):
            read(path)
        assert time.process_time() - start < SECONDS
