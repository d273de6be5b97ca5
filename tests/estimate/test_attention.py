"""Three ways to count attention, each by hand on a decoder of one layer, four heads of four, width 16."""

from __future__ import annotations

import pytest

from scalecalc.dims import evaluate
from scalecalc.errors import UsageError
from scalecalc.estimate import estimate, inspect
from scalecalc.estimate.attention import training_flops, way
from scalecalc.walk import Profile, walk
from tests.cli.corpus import GRAPHS
from tests.walk.graphs import graph

N, S = 3, 40  # sequences, tokens in each
LINEAR = 16 * 48 + 16 * 16 + 16 * 32 + 32 * 16 + 16 * 50  # per token: queries, keys and values; output; two; head
SCORES = 2 * 4 * 4  # per pair of tokens: scores and values, four heads of four


@pytest.fixture(scope="module")
def decoder() -> Profile:
    return walk(graph(GRAPHS["language"]))


WAYS = [
    # way, share of the scores that counts
    ("full", 1),
    ("causal", 0.5),
    ("none", 0),
]


@pytest.mark.parametrize(("attention", "share"), WAYS)
def test_ways_to_count(decoder: Profile, attention: str, share: float) -> None:
    found = inspect(decoder, sizes={"n": N, "s": S}, attention=attention)
    macs = N * S * LINEAR + share * N * S * S * SCORES
    profile = found.profile
    assert way(profile) == attention
    assert found.value(profile.forward["macs"]) == macs
    assert found.value(profile.forward["matrix_flops"]) == 2 * macs
    assert found.value(profile.training["backward_matrix_flops"]) == 4 * macs
    assert found.value(profile.training["matrix_flops"]) == 6 * macs
    vector = found.value(decoder.forward["vector_flops"])
    assert found.value(profile.forward["flops"]) == 2 * macs + vector
    assert found.flops_per_sample == 6 * macs / (N * S)
    params = found.value(profile.params["trainable"])
    assert found.against_six("trainable") == pytest.approx(macs / (N * S) / params, rel=1e-12)
    for other, part in WAYS[:2]:  # the other ways stand beside it
        flops = 6 * (N * S * LINEAR + part * N * S * S * SCORES)
        assert found.value(training_flops(profile, other)) == flops


@pytest.mark.parametrize(("attention", "share"), WAYS)
def test_what_a_budget_buys_follows(decoder: Profile, attention: str, share: float) -> None:
    answer = estimate(decoder, 1e12, sizes={"n": N, "s": S}, attention=attention)
    assert answer.plan.attention == attention
    assert answer.plan.seen == pytest.approx(1e12 / (6 * (LINEAR + share * S * SCORES)), rel=1e-12)


CACHED = """(int64[n,s] ids, float[n,4,past,4] key, float[n,4,past,4] value) => (float[n,s,50] y)
  <float[50,16] table, float[16,48] wqkv, float[16,50] head> {
    x = Gather(table, ids)
    qkv = MatMul(x, wqkv)
    q, k, v = Split<axis=-1, num_outputs=3>(qkv)
    hs = Constant<value = int64[4] {0, 0, 4, 4}>()
    qh = Reshape(q, hs)  kh = Reshape(k, hs)  vh = Reshape(v, hs)
    qt = Transpose<perm=[0,2,1,3]>(qh)  kt = Transpose<perm=[0,2,1,3]>(kh)  vt = Transpose<perm=[0,2,1,3]>(vh)
    ks = Concat<axis=2>(key, kt)  vs = Concat<axis=2>(value, vt)
    kk = Transpose<perm=[0,1,3,2]>(ks)
    qk = MatMul(qt, kk)
    rows = Shape<start=1, end=2>(ids)  columns = Shape<start=2, end=3>(ks)
    shape = Concat<axis=0>(rows, columns)
    one = Constant<value = float[1] {1.0}>()
    ones = Expand(one, shape)
    offset = Shape<start=2, end=3>(key)
    scalar = Squeeze(offset)
    tri = Trilu<upper=0>(ones, scalar)
    mask = Cast<to=9>(tri)
    low = Constant<value = float {-10000.0}>()
    masked = Where(mask, qk, low)
    att = Softmax<axis=-1>(masked)
    av = MatMul(att, vs)
    at = Transpose<perm=[0,2,1,3]>(av)
    flat = Constant<value = int64[3] {0, 0, 16}>()
    ar = Reshape(at, flat)
    y = MatMul(ar, head)
}"""


def test_keys_of_a_cache_all_lie_in_the_past() -> None:
    """Only the square of new tokens with themselves is halved: s (past + s) scores, less s^2 / 2."""
    profile = walk(graph(CACHED))
    sizes = {"n": 2, "s": 6, "past": 10}
    full, causal = (inspect(profile, sizes=sizes, attention=a) for a in ("full", "causal"))
    linear = 2 * 6 * (16 * 48 + 16 * 50)
    assert full.value(full.profile.forward["macs"]) == linear + 2 * 6 * (10 + 6) * SCORES
    assert causal.value(causal.profile.forward["macs"]) == linear + 2 * (6 * (10 + 6) - 6 * 6 / 2) * SCORES


WITHOUT = "(float[n,8] x) => (float[n,2] y) <float[8,2] w> { y = MatMul(x, w) }"


@pytest.mark.parametrize(
    ("attention", "says"),
    [
        ("causal", "no causal mask was recognised in this model; leave it out: every product counts"),
        ("none", "no attention was recognised in this model; leave it out: every product counts"),
        ("half", "no attention 'half'; use one of full, causal, none"),
    ],
)
def test_ways_a_model_does_not_have(attention: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        inspect(walk(graph(WITHOUT)), attention=attention)
    assert str(caught.value) == f"--attention: {says}"


def test_a_causal_mask_tells_a_language_model_though_its_attention_is_unusual() -> None:
    """Scores capped by a tanh, as in Gemma 2: no attention is recognised, so all of it counts, but the mask is."""
    text = GRAPHS["language"].replace("sc = Div(qk, scale)", "cap = Tanh(qk)  sc = Sign(cap)")
    profile = walk(graph(text))
    assert profile.facts["attention_macs"] == 0
    assert inspect(profile).task.name == "language-modeling"
    with pytest.raises(UsageError, match="no causal mask"):
        inspect(profile, attention="causal")


def test_a_mask_that_hides_nothing_of_the_future(decoder: Profile) -> None:
    text = GRAPHS["language"].replace("tri = Trilu<upper=0>(ones)", "tri = Identity(ones)")
    profile = walk(graph(text))
    assert profile.facts["causal"] is False
    with pytest.raises(UsageError, match="no causal mask"):
        inspect(profile, attention="causal")
    assert inspect(profile, attention="none").profile.forward["macs"].value({"n": 1, "s": 8}) == 8 * LINEAR


LAYOUTS = {
    # scores of two heads of eight, s queries over s keys: the products of each pair are 2 * 2 * 8
    "heads in front": """(float[b, 2, s, 8] q, float[b, 2, s, 8] k, float[b, 2, s, 8] v, float[s, s] m)
        => (float[b, 2, s, 8] y) { x = Einsum<equation = "bhqd,bhkd->bhqk">(q, k)  t = Trilu<upper = 0>(m)
        z = Add(x, t)  p = Softmax<axis = -1>(z)  y = Einsum<equation = "bhqk,bhkd->bhqd">(p, v) }""",
    "heads behind": """(float[b, s, 2, 8] q, float[b, s, 2, 8] k, float[b, s, 2, 8] v, float[s, 1, s] m)
        => (float[b, s, 2, 8] y) { x = Einsum<equation = "...qhd,...khd->...qhk">(q, k)  t = Trilu<upper = 0>(m)
        z = Add(x, t)  p = Softmax<axis = -1>(z)  y = Einsum<equation = "...qhk,...khd->...qhd">(p, v) }""",
    "one operator, with a stored bias": """(float[b, 2, s, 8] q, float[b, 2, s, 8] k, float[b, 2, s, 8] v)
        => (float[b, 2, s, 8] y) <float[2, 1, 1] bias> { y = Attention<is_causal = 1>(q, k, v, bias) }""",
    "packed": """(float[b, s, 2, 3, 8] q) => (float[b, s, 16] y) {
        y = com.microsoft.MultiHeadAttention<num_heads = 2, unidirectional = 1>(q) }""",
    "behind a cache": """(float[b, s, 16] x, float[2, b, 2, past, 8] c)
        => (float[b, s, 16] y, float[2, b, 2, t, 8] n) <float[16, 48] w, float[48] bias> {
        y, n = com.microsoft.Attention<num_heads = 2, unidirectional = 1>(x, w, bias, , c) }""",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_a_mask_makes_useless_in_every_layout(layout: str) -> None:
    """As many keys as queries; those of a cache all lie in the past."""
    profile = walk(graph(LAYOUTS[layout]))
    assert profile.facts["causal"]
    assert evaluate(profile.facts["causal_macs"], {"b": N, "s": S, "past": 7}) == N * S * S * 2 * 2 * 8


@pytest.mark.parametrize("products", ["MatMul(q, k)", 'Einsum<equation = "d,dk->k">(q, k)'])
def test_a_single_query(products: str) -> None:
    profile = walk(
        graph(f"""(float[8] q, float[8, s] k, float[s, 6] v) => (float[6] y) {{
        x = {products}  p = Softmax(x)  y = MatMul(p, v) }}""")
    )
    assert evaluate(profile.facts["attention_macs"], {"s": S}) == S * (8 + 6)
