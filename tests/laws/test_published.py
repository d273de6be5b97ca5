"""Published figures come out of the shipped laws at their printed digits."""

from __future__ import annotations

import numpy as np
import pytest

from scalecalc.laws import shipped
from scalecalc.laws.binding import PF_DAY

LAWS = shipped()

GPT2_D = 1e21 / 854.4e6  # tokens 1e21 FLOP buy at 6*(123,532,032 + 18,432*1024) per token

PUBLISHED = [
    # law, inputs, value to the digits printed, where
    ("seed-exponential", {"C": 1e14}, 0.9, "the article, 4.3"),
    ("seed-exponential", {"C": 1e15}, 0.95, "the article, 4.3"),
    ("hoffmann-2022", {"N": 70e9, "D": 1.4e12}, 1.937, "1.69 + 406.4/70e9^.34 + 410.7/1.4e12^.28 by hand"),
    ("hoffmann-2022", {"N": 124_439_808, "D": GPT2_D}, 2.58, "1.69 + .719 + .172 by hand"),
    ("hoffmann-2022-unrounded", {"N": 124_439_808, "D": GPT2_D}, 2.57, "1.693 + .730 + .150 by hand"),
    ("besiroglu-2024", {"N": 124_439_808, "D": GPT2_D}, 2.63, "1.817 + .737 + .080 by hand"),
    ("kaplan-2020-joint", {"N": 85_056_000, "D": GPT2_D}, 2.797, "Kaplan et al. 2020, eq. 1.5 with Table 2"),
    ("kaplan-2020-n", {"N": 8.8e13}, 1.0, "N = Nc"),
    ("kaplan-2020-d", {"D": 5.4e13}, 1.0, "D = Dc"),
    ("kaplan-2020-compute", {"C": 3.1e8}, 1.0, "C = Cc, PF-days"),
    ("kaplan-2020-compute-plain", {"C": 1.6e7}, 1.0, "C = Cc, PF-days"),
    # what the authors' own code prints for the two allocations of 9.2e21 FLOP on 25e9 distinct tokens
    ("muennighoff-2023", {"N": 6.34e9, "D": 242e9, "U": 25e9}, 2.2256440889984477, "huggingface/datablations"),
    ("muennighoff-2023", {"N": 8.67e9, "D": 178e9, "U": 25e9}, 2.2269634075087867, "huggingface/datablations"),
    ("zhai-2022-finetune", {"C": 0.99}, 0.35, ".09 + .26 where C + .01 is one"),
    ("zhai-2022-10shot", {"C": 0.48}, 0.75, ".12 + .63 where C + .52 is one"),
    ("zhai-2022-finetune", {"C": 1e-9}, 1.393, ".09 + .26*10^.7, 10^.7 = 5.0119"),
    # in endless precision N_eff = N: 2.7648 + 4299*10^-3.972 + 18060*10^-5 = 2.7648 + .4585 + .1806
    ("kumar-2024", {"N": 1e8, "D": 1e10, "P_w": 1e3, "P_a": 1e3, "P_kv": 1e3}, 3.404, "by hand"),
    # four bits for the weights: 1 - exp(-4/2.6745) = .7759 of N, .4585*.7759^-.4965 = .5201
    ("kumar-2024", {"N": 1e8, "D": 1e10, "P_w": 4, "P_a": 1e3, "P_kv": 1e3}, 3.4655, "by hand"),
    # 1.79*10^(-.713*9 + .307*11) = 1.79*10^-3.04; .58*10^(.571*11) = .58*10^6.281
    ("li-2025-learning-rate", {"N": 1e9, "D": 1e11}, 0.0016325, "by hand"),
    ("li-2025-batch", {"D": 1e11}, 1107715, "by hand"),
    ("mccandlish-2018-critical-batch", {"L": 1.0}, 2e8, "B_star"),
    ("mccandlish-2018-critical-batch", {"L": 2**0.21}, 1e8, "half of it, where L^(1/.21) is 2"),
    # Table 6: what a PF-day is best spent on; and D.1 at N = e^10
    ("kaplan-2020-best-n", {"C": 1.0}, 1.3e9, "Table 6"),
    ("kaplan-2020-best-d", {"C": 1.0}, 2.0e10, "Table 6"),
    ("kaplan-2020-critical-batch", {"C": 1.0}, 2.0e6, "Table 6"),
    ("kaplan-2020-learning-rate", {"N": 22026.465794806718}, 0.001844, ".003239 - .001395"),
    # 4.5e23 FLOP: "4.3e11 FLOPs per token and 1.04e12 training tokens" (figure 4)
    ("deepseek-2024-best-n", {"C": 4.5e23}, 4.3e11, "figure 4"),
    ("deepseek-2024-best-d", {"C": 4.5e23}, 1.04e12, "figure 4"),
    # N* of Chinchilla's budget, as printed in figure 1
    ("porian-2024-kaplan", {"C": 5.88e23}, 3e12, "figure 1"),
    ("porian-2024-head", {"C": 5.88e23}, 787e9, "figure 1"),
    ("porian-2024-warmup", {"C": 5.88e23}, 292e9, "figure 1"),
    ("porian-2024-decay", {"C": 5.88e23}, 183e9, "figure 1"),
    ("porian-2024", {"C": 5.88e23}, 77e9, "figure 1"),
    # 3.7*10^(-.36*9) and .00037*10^(.703*9)
    ("porian-2024-learning-rate", {"N": 1e9}, 0.00213, "by hand"),
    ("porian-2024-batch", {"N": 1e9}, 785.6, "by hand"),
    # ends of the trends drawn in figures 1 and 11, read off to two digits
    ("hestness-2017-translation", {"D": 2.0**27}, 0.34, "figure 1, right"),
    ("hestness-2017-translation-208", {"D": 2.0**27}, 0.44, "figure 1, left"),
    ("hestness-2017-translation-512", {"D": 2.0**27}, 0.40, "figure 1, left"),
    ("hestness-2017-speech", {"D": 8 * 3600.0}, 0.51, "figure 11: .505 at 8 hours"),
    ("hestness-2017-speech-attention", {"D": 3600.0}, 1.36, "at one hour"),
    ("hestness-2017-words", {"D": 1.0}, 11.9, "at one word"),
    # GPT-3's L = 2.57 C^-.048 (Brown et al. 2020, figure 3.1)
    ("henighan-2020-language", {"C": 1.0}, 2.57, "Brown et al. 2020"),
    ("henighan-2020-image-8", {"C": 1.8e-8}, 4.13, "3.13 + 1 where C = C_0"),
    ("henighan-2020-image-16", {"C": 1.6e-8}, 3.64, "the same"),
    ("henighan-2020-image-32", {"C": 3.6e-9}, 3.21, "the same"),
    ("henighan-2020-image-vq-16", {"C": 6.1e-7}, 5.09, "the same"),
    ("henighan-2020-image-vq-32", {"C": 2.6e-6}, 4.17, "the same"),
    ("henighan-2020-text-to-image", {"C": 1.5e-6}, 2.93, "the same"),
    ("henighan-2020-image-to-text", {"C": 1.5e-6}, 2.97, "the same"),
    ("henighan-2020-video", {"C": 2.2e-5}, 1.95, "the same"),
    ("henighan-2020-math", {"C": 1.4e-5}, 1.14, "the same"),
    ("henighan-2020-best-n-image-8", {"C": 5.3e-14}, 1.0, "one parameter where C = C_0"),
    ("henighan-2020-best-n-image-16", {"C": 4.8e-12}, 1.0, "the same"),
    ("henighan-2020-best-n-image-32", {"C": 1.6e-13}, 1.0, "the same"),
    ("henighan-2020-best-n-image-vq-16", {"C": 6.2e-14}, 1.0, "the same"),
    ("henighan-2020-best-n-image-vq-32", {"C": 9.4e-13}, 1.0, "the same"),
    ("henighan-2020-best-n-video", {"C": 1.13e-12}, 1.0, "the same"),
    ("henighan-2020-best-n-math", {"C": 2.3e-12}, 1.0, "the same"),
    # .47 + (18.1 + 2.1/4^.58)/10^(.115*9) + 30.8/10^(.147*11) = .47 + 1.7566 + .7440
    ("krajewski-2024", {"N": 1e9, "D": 1e11, "G": 4.0}, 2.971, "by hand"),
    # 6*7e10*1.4e12 = 5.88e23 (Chinchilla's training), and 2*7e10*1e12 = 1.4e23 for 1e12 tokens answered
    ("sardana-2024", {"N": 7e10, "D": 1.4e12, "D_inf": 1e12}, 7.28e23, "by hand"),
]


def test_every_law_has_a_published_figure():
    elsewhere = {"cerebras-gpt-2023", "tao-2024-loss", "tao-2024-vocabulary", *HOFFMANN, *CLARK}
    covered = {row[0] for row in PUBLISHED} | {row[0] for row in DEEPSEEK} | elsewhere
    own = {name for name in LAWS if name.startswith("keras-")}  # against their runs: tests/benchmarks
    assert covered | own == {name for name, law in LAWS.items() if not law.is_form}


@pytest.mark.parametrize(("name", "inputs", "value", "where"), PUBLISHED)
def test_published_values(name, inputs, value, where):
    digits = 12 if len(str(value)) > 15 else len(str(value).partition("e")[0].partition(".")[2])
    result = float(LAWS[name].evaluate(**inputs))
    if value < 1e9:
        assert round(result, digits) == round(value, digits) or result == pytest.approx(value, rel=1e-12), where
    else:  # to the three digits sizes and numbers of tokens are printed with
        assert result == pytest.approx(value, rel=6e-3), where


# What DeepSeek LLM's two models were trained with (Table 2: 2e12 tokens, batches of 4,096 tokens each), at 6 N D
DEEPSEEK = [
    ("deepseek-2024-learning-rate", 7e9, 4.2e-4),
    ("deepseek-2024-learning-rate", 67e9, 3.2e-4),
    ("deepseek-2024-batch", 7e9, 2304 * 4096),
    ("deepseek-2024-batch", 67e9, 4608 * 4096),
]


@pytest.mark.parametrize(("name", "params", "value"), DEEPSEEK)
def test_deepseek_trained_its_models_by_its_law(name, params, value):
    assert LAWS[name].evaluate(C=6 * params * 2e12) == pytest.approx(value, rel=0.05)


def test_porians_corrections_turn_kaplans_exponent_into_hoffmanns():
    steps = ["porian-2024-kaplan", "porian-2024-head", "porian-2024-warmup", "porian-2024-decay", "porian-2024"]
    assert [LAWS[name].coefficients["a"].value for name in steps] == [0.835, 0.707, 0.602, 0.572, 0.497]
    assert LAWS[steps[0]].coefficients["a"].ci == (0.824, 0.846)
    # ten thousand times the compute takes 10^(4*.497) = 97 times the parameters
    last = LAWS["porian-2024"]
    assert last.evaluate(C=1e22) / last.evaluate(C=1e18) == pytest.approx(97.275, rel=1e-4)
    # "within 15 % of Chinchilla's size" (section 3.5); and all five begin at nearly one size
    assert last.evaluate(C=5.88e23) == pytest.approx(70e9, rel=0.15)
    assert [LAWS[name].evaluate(C=1e19) for name in steps] == pytest.approx([340e6] * 5, rel=0.2)


HOFFMANN = {
    # C at which a size is the best: Tables 3 and A3
    "hoffmann-2022-approach-1": {
        400e6: 1.92e19, 1e9: 1.21e20, 10e9: 1.23e22, 67e9: 5.76e23, 175e9: 3.85e24, 280e9: 9.90e24, 520e9: 3.43e25,
        1e12: 1.27e26, 10e12: 1.30e28},
    "hoffmann-2022-approach-2": {
        400e6: 1.84e19, 1e9: 1.20e20, 10e9: 1.32e22, 67e9: 6.88e23, 175e9: 4.54e24, 280e9: 1.18e25, 520e9: 4.19e25,
        1e12: 1.59e26, 10e12: 1.75e28},
}  # fmt: skip


@pytest.mark.parametrize("name", HOFFMANN)
def test_hoffmanns_first_approaches_pass_their_tables(name):
    """To what an exponent of two digits leaves open over nine decades of compute."""
    for params, compute in HOFFMANN[name].items():
        assert LAWS[name].evaluate(C=compute) == pytest.approx(params, rel=0.05)
    assert LAWS[name].gives == "N"


CLARK = ("clark-2022-hash", "clark-2022-rl-r", "clark-2022-s-base")


@pytest.mark.parametrize("name", CLARK)
def test_clarks_routed_models(name):
    """One expert is a dense model, (3.568e13/N)^.078; 128 experts make 5M parameters as good as 55M (section 5)."""

    def dense(params: float) -> float:
        return (3.568e13 / params) ** 0.078

    assert LAWS[name].evaluate(N=1e8, experts=1.0) == pytest.approx(dense(1e8), rel=0.015)
    assert LAWS[name].evaluate(N=5e6, experts=128.0) == pytest.approx(dense(55e6), rel=0.03)


def test_a_larger_model_deserves_a_larger_vocabulary():
    """ "the optimal vocabulary size of Llama2-70B should have been at least 216K" (abstract of Tao et al. 2024)."""
    law, params, width = LAWS["tao-2024-loss"], 70e9, 8192
    compute = (params / np.exp(-2.4846510161625193)) ** 2  # what that size is best for, by the published fit
    sizes = np.linspace(50e3, 500e3, 45_001)
    losses = law.evaluate(N=params, N_v=sizes * width, D=compute / 6 / (params + sizes * width))
    assert sizes[losses.argmin()] == pytest.approx(216e3, rel=0.015)
    # isoFLOP profiles give nearly the same
    assert LAWS["tao-2024-vocabulary"].evaluate(C=compute) / width == pytest.approx(216e3, rel=0.03)


def test_kaplans_joint_law_has_constants_of_its_own():
    """With those of the one-variable laws it would give another loss."""
    one_variable = {"alpha_N": 0.076, "N_c": 8.8e13, "alpha_D": 0.095, "D_c": 5.4e13}
    wrong = LAWS["kaplan-2020-joint"].evaluate(N=85_056_000, D=GPT2_D, **one_variable)
    assert round(wrong, 3) == 2.865


# Table of the seven models: training FLOPs and Pile test loss (Dey et al. 2023)
CEREBRAS = [
    (2.6e18, 2.566),
    (1.3e19, 2.299),
    (6.1e19, 2.184),
    (2.8e20, 1.996),
    (1.1e21, 1.834),
    (6.3e21, 1.704),
    (2.3e22, 1.575),
]


@pytest.mark.parametrize(("compute", "loss"), CEREBRAS)
def test_cerebras_frontier_passes_its_own_models(compute, loss):
    assert LAWS["cerebras-gpt-2023"].evaluate(C=compute) == pytest.approx(loss, rel=0.035)


def test_pf_days():
    """1 PF-day = 1e15 FLOP/s * 86,400 s (Kaplan et al. 2020, footnote to the abstract's units)."""
    assert PF_DAY == 1e15 * 86_400
    assert LAWS["kaplan-2020-compute"].evaluate(C=3.1e8) == pytest.approx(1)


def test_besiroglus_errors():
    constants = LAWS["besiroglu-2024"].coefficients
    assert [constants[name].se for name in ("A", "B", "E", "alpha", "beta")] == [
        124.52,
        1293.28,
        0.02566,
        0.0154,
        0.0206,
    ]
    assert constants["A"].ci == (285.2, 743.6)
    assert {constant.level for constant in constants.values()} == {0.95}


def test_besiroglus_covariance_gives_the_published_errors():
    """The diagonal holds the publication's errors: .0154, .0206, .02566 directly, A's and B's by their 95 %."""
    covariance = LAWS["besiroglu-2024"].covariance
    assert covariance is not None
    matrix = np.array(covariance.matrix)
    np.testing.assert_allclose(matrix, matrix.T)
    assert np.linalg.eigvalsh(matrix).min() > 0
    error = dict(zip(covariance.of, np.sqrt(np.diag(matrix)), strict=True))
    for name, published in (("E", 0.02566), ("alpha", 0.0154), ("beta", 0.0206)):
        assert error[name] == pytest.approx(published, rel=0.03)
    for name, low, high in (("log(A)", 285.2, 743.6), ("log(B)", 1042.4, 5810.3)):
        assert error[name] == pytest.approx(np.log(high / low) / (2 * 1.96), rel=0.05)
