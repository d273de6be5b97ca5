"""What a model is for, from the forms of small graphs; real exports where they are at hand."""

from __future__ import annotations

import pytest

from scalecalc.errors import UsageError
from scalecalc.estimate import inspect
from scalecalc.walk import Profile, walk
from scalecalc.walk.task import ALIASES, TASKS, guess
from tests.cli.conftest import EXPORTS
from tests.walk.graphs import graph

TOKENS = "e = Gather(table, ids)"
CONV = "c = Conv<strides=[2,2], pads=[1,1,1,1]>(x, w)"
GRAPHS = {
    # task: graphs that have it
    "language-modeling": [
        # a recurrent network reads the past only
        """(int64[s,batch] ids, float[1,batch,8] h) => (float[s,batch,90] y)
           <float[90,8] table, float[1,32,8] wx, float[1,32,8] wh, float[8,90] head> {
            e = Gather(table, ids)  a = LSTM<hidden_size=8>(e, wx, wh, , , h)
            one = Constant<value = int64[1] {1}>()  b = Squeeze(a, one)  y = MatMul(b, head) }""",
    ],
    "masked-language-modeling": [
        """(int64[n,s] ids) => (float[n,s,90] y) <float[90,8] table, float[8,90] head> {
            e = Gather(table, ids)  y = MatMul(e, head) }""",
        """(int64[s,n] ids) => (float[s,n,90] y)
           <float[90,8] table, float[2,32,8] wx, float[2,32,8] wh, float[16,90] head> {
            e = Gather(table, ids)  a = LSTM<hidden_size=8, direction="bidirectional">(e, wx, wh)
            b = Transpose<perm=[0,2,1,3]>(a)  sh = Constant<value = int64[3] {0, 0, 16}>()  c = Reshape(b, sh)
            y = MatMul(c, head) }""",
    ],
    "text-encoding": [
        """(int64[n,s] ids, int64[n,s] segments) => (float[n,s,8] y)
           <float[90,8] table, float[2,8] kinds, float[8,8] w, float[8] g, float[8] b> {
            e = Gather(table, ids)  k = Gather(kinds, segments)  a = Add(e, k)  h = MatMul(a, w)
            y = LayerNormalization(h, g, b) }""",
    ],
    "token-classification": [
        """(int64[n,s] ids) => (float[n,s,9] y) <float[90,8] table, float[8,9] head> {
            e = Gather(table, ids)  y = MatMul(e, head) }""",
    ],
    "text-classification": [
        """(int64[n,s] ids) => (float[n,2] y) <float[90,8] table, float[8,2] head> {
            e = Gather(table, ids)  one = Constant<value = int64[1] {1}>()  m = ReduceMean<keepdims=0>(e, one)
            y = MatMul(m, head) }""",
    ],
    "question-answering": [
        """(int64[n,s] ids) => (float[n,s] start, float[n,s] end) <float[90,8] table, float[8,2] head> {
            e = Gather(table, ids)  h = MatMul(e, head)  a, b = Split<axis=-1, num_outputs=2>(h)
            last = Constant<value = int64[1] {-1}>()  start = Squeeze(a, last)  end = Squeeze(b, last) }""",
    ],
    "text2text-generation": [
        # one table for both sides
        """(int64[n,s] ids, int64[n,t] target) => (float[n,t,90] y) <float[90,8] table, float[8,90] head> {
            e = Gather(table, ids)  f = Gather(table, target)  one = Constant<value = int64[1] {1}>()
            m = ReduceMean<keepdims=1>(e, one)  a = Add(f, m)  y = MatMul(a, head) }""",
        # the decoder alone, given what the encoder made
        """(int64[n,t] ids, float[n,s,8] states) => (float[n,t,90] y) <float[90,8] table, float[8,90] head> {
            e = Gather(table, ids)  one = Constant<value = int64[1] {1}>()  m = ReduceMean<keepdims=1>(states, one)
            a = Add(e, m)  y = MatMul(a, head) }""",
    ],
    "image-classification": [
        f"""(float[n,3,32,32] x) => (float[n,10] y) <float[8,3,3,3] w, float[8,10] head> {{
            {CONV}  p = GlobalAveragePool(c)  f = Flatten(p)  y = MatMul(f, head) }}""",
    ],
    "image-encoding": [
        f"""(float[n,3,512,512] x) => (float[n,8,32,32] y) <float[8,3,3,3] w> {{
            {CONV}  y = MaxPool<kernel_shape=[8,8], strides=[8,8]>(c) }}""",
        f"""(float[n,3,32,32] x) => (float[n,8] y) <float[8,3,3,3] w, float[8] g, float[8] b> {{
            {CONV}  p = GlobalAveragePool(c)  f = Flatten(p)  y = LayerNormalization(f, g, b) }}""",
    ],
    "image-segmentation": [
        "(float[n,3,h,v] x) => (float[n,21,h,v] y) <float[21,3,1,1] w> { y = Conv(x, w) }",
        "(float[n,h,v,3] x) => (float[n,h,v,5] y) <float[3,5] w> { y = MatMul(x, w) }",
        f"(float[n,3,h,v] x) => (float[n,8,a,b] y) <float[8,3,3,3] w> {{ {CONV}  y = Relu(c) }}",
    ],
    "image-to-image": [
        "(float[n,3,h,v] x) => (float[n,3,h,v] y) <float[3,3,1,1] w> { y = Conv(x, w) }",
        "(float[n,1,h,v] x) => (float[n,3,h,v] y) <float[3,1,1,1] w> { y = Conv(x, w) }",
        "(float[n,3,h,v] x) => (float[n,12,a,b] y) <float[3,12,2,2] w> { y = ConvTranspose<strides=[2,2]>(x, w) }",
    ],
    "object-detection": [
        # scores and boxes of every anchor
        f"""(float[n,3,32,32] x) => (float[n,256,7] scores, float[n,256,4] boxes)
            <float[8,3,3,3] w, float[7,8,1,1] u, float[4,8,1,1] v> {{
            {CONV}  a = Conv(c, u)  b = Conv(c, v)  sa = Constant<value = int64[3] {{0, 7, -1}}>()
            sb = Constant<value = int64[3] {{0, 4, -1}}>()  ra = Reshape(a, sa)  rb = Reshape(b, sb)
            scores = Transpose<perm=[0,2,1]>(ra)  boxes = Transpose<perm=[0,2,1]>(rb) }}""",
        # one list of anchors
        f"""(float[n,3,32,32] x) => (float[n,11,256] y) <float[8,3,3,3] w, float[11,8,1,1] u> {{
            {CONV}  a = Conv(c, u)  s = Constant<value = int64[3] {{0, 11, -1}}>()  y = Reshape(a, s) }}""",
        # a map of anchors in every resolution
        f"""(float[n,3,32,32] x) => (float[n,9,16,16] y, float[n,9,8,8] z) <float[8,3,3,3] w, float[9,8,1,1] u> {{
            {CONV}  y = Conv(c, u)  z = Conv<strides=[2,2]>(c, u) }}""",
    ],
    "video-classification": [
        """(float[n,3,16,32,32] x) => (float[n,40] y) <float[8,3,3,3,3] w, float[8,40] head> {
            c = Conv(x, w)  p = GlobalAveragePool(c)  f = Flatten(p)  y = MatMul(f, head) }""",
        """(float[n,16,3,32,32] x) => (float[n,40] y) <float[49152,40] head> { f = Flatten(x)  y = MatMul(f, head) }""",
    ],
    "automatic-speech-recognition": [
        """(float[n,samples] x) => (float[n,a,32] y) <float[8,1,400] w, float[8,32] v> {
            one = Constant<value = int64[1] {1}>()  u = Unsqueeze(x, one)  c = Conv<strides=[320]>(u, w)
            t = Transpose<perm=[0,2,1]>(c)  y = MatMul(t, v) }""",
        """(float[n,80,3000] x, int64[n,s] ids) => (float[n,s,90] y)
           <float[8,80,3] w, float[90,8] table, float[8,90] head> {
            c = Conv(x, w)  p = GlobalAveragePool(c)  t = Transpose<perm=[0,2,1]>(p)  e = Gather(table, ids)
            a = Add(e, t)  y = MatMul(a, head) }""",
    ],
    "audio-classification": [
        """(float[n,1,16000] x) => (float[n,35] y) <float[8,1,80] w, float[8,35] head> {
            c = Conv<strides=[4]>(x, w)  p = GlobalAveragePool(c)  f = Flatten(p)  y = MatMul(f, head) }""",
    ],
    "audio-encoding": [
        """(float[n,80,frames] x) => (float[n,a,8] y) <float[8,80,3] w, float[8] g, float[8] b> {
            c = Conv(x, w)  t = Transpose<perm=[0,2,1]>(c)  y = LayerNormalization(t, g, b) }""",
    ],
    "zero-shot-image-classification": [
        f"""(int64[n,s] ids, int64[n,s] mask, float[m,3,32,32] pixels) => (float[m,n] y)
            <float[90,8] table, float[8,3,32,32] w> {{
            c = Conv(pixels, w)  f = Flatten(c)  {TOKENS}  one = Constant<value = int64[1] {{1}}>()
            t = ReduceMean<keepdims=0>(e, one)  u = Transpose<perm=[1,0]>(t)  y = MatMul(f, u) }}""",
    ],
    "image-text-to-text": [
        f"""(int64[n,s] ids, float[n,3,32,32] pixels) => (float[n,s,90] y)
            <float[90,8] table, float[8,3,32,32] w, float[8,90] head> {{
            c = Conv(pixels, w)  f = Flatten(c)  one = Constant<value = int64[1] {{1}}>()  i = Unsqueeze(f, one)
            {TOKENS}  a = Add(e, i)  y = MatMul(a, head) }}""",
    ],
    None: [
        "(float[n,8] x) => (float[n,2] y) <float[8,2] w> { y = MatMul(x, w) }",
        "(float[n,8,20] x) => (float[n,8,2] y) <float[20,2] w> { y = MatMul(x, w) }",
        "(int64[n,8] x) => (float[n,8] y) { y = Cast<to=1>(x) }",
        "(float[n,1,16,16,16] x) => (float[n,2,16,16,16] y) <float[2,1,1,1,1] w> { y = Conv(x, w) }",
    ],
}  # fmt: skip
ROWS = [(task, index) for task, graphs in GRAPHS.items() for index in range(len(graphs))]


def profile_of(task: str | None, index: int = 0) -> Profile:
    return walk(graph(GRAPHS[task][index]))


@pytest.mark.parametrize(("task", "index"), ROWS)
def test_guesses(task: str | None, index: int) -> None:
    found = guess(profile_of(task, index))
    assert found.name == task
    assert found.guessed
    assert (found.modality, found.sample) == (TASKS[task][:2] if task else (None, "example"))


CLASSES = [("image-classification", 10), ("image-segmentation", 21), ("text-classification", 2),
           ("token-classification", 9), ("video-classification", 40), ("audio-classification", 35),
           ("language-modeling", None), ("object-detection", None)]  # fmt: skip


@pytest.mark.parametrize(("task", "classes"), CLASSES)
def test_classes(task: str, classes: int | None) -> None:
    assert guess(profile_of(task)).classes == classes


SAMPLES = [
    # task, which graph, asked for, sizes, samples in one run, parts
    ("language-modeling", 0, None, {"batch": 2, "s": 5}, 10, ["s tokens"]),
    ("language-modeling", 0, "example", {"batch": 2, "s": 5}, 2, ["s tokens"]),
    ("text2text-generation", 0, None, {"n": 2, "s": 5, "t": 3}, 2 * (5 + 3), ["s tokens", "t tokens"]),
    ("text2text-generation", 0, "example", {"n": 2, "s": 5, "t": 3}, 2, ["s tokens", "t tokens"]),
    ("text2text-generation", 1, None, {"n": 2, "s": 5, "t": 3}, 6, ["t tokens"]),
    ("text-encoding", 0, None, {"n": 2, "s": 5}, 10, ["s tokens"]),  # segments are no tokens
    ("text-classification", 0, None, {"n": 2, "s": 5}, 2, ["s tokens"]),
    ("text-classification", 0, "token", {"n": 2, "s": 5}, 10, ["s tokens"]),
    ("image-classification", 0, None, {"n": 4}, 4, ["3 x 32 x 32"]),
    ("zero-shot-image-classification", 0, None, {"n": 2, "s": 5, "m": 3}, 3, ["3 x 32 x 32", "s tokens"]),
    ("image-text-to-text", 0, None, {"n": 2, "s": 5}, 10, ["3 x 32 x 32", "s tokens"]),
    # a second of audio: 16,000 numbers of a waveform, 100 frames of a spectrogram
    ("automatic-speech-recognition", 0, None, {"n": 2, "samples": 24_000}, 2, ["samples"]),
    ("automatic-speech-recognition", 0, "second", {"n": 2, "samples": 24_000}, 3, ["samples"]),
    ("automatic-speech-recognition", 0, "second@8000", {"n": 2, "samples": 24_000}, 6, ["samples"]),
    ("automatic-speech-recognition", 0, "second", {"n": 1, "samples": 20_000}, 1.25, ["samples"]),
    ("automatic-speech-recognition", 1, "second", {"n": 2, "s": 7}, 60, ["80 x 3000", "s tokens"]),
    ("audio-classification", 0, "second", {"n": 2}, 2, ["1 x 16000"]),
    ("audio-encoding", 0, "second", {"n": 1, "frames": 250}, 2.5, ["80 x frames"]),
    (None, 1, "token", {"n": 2}, 16, ["8 x 20"]),
]  # fmt: skip


@pytest.mark.parametrize(("task", "index", "sample", "sizes", "count", "parts"), SAMPLES)
def test_samples(task, index: int, sample: str | None, sizes: dict, count: float, parts: list[str]) -> None:
    found = inspect(profile_of(task, index), sizes=sizes, sample=sample)
    assert found.samples_per_run == count
    assert list(found.task.parts) == parts
    cost = found.value(found.profile.training["matrix_flops"])
    assert found.flops_per_sample == pytest.approx(cost / count, rel=1e-15)
    if found.per_sample is not None:
        assert found.per_sample.value(sizes) == pytest.approx(cost / count, rel=1e-15)


def test_positions_are_no_tokens() -> None:
    """Their table may be as long as that of a small vocabulary."""
    text = """(int64[n,s] ids, int64[n,s] position_ids) => (float[n,s,90] y)
        <float[90,8] table, float[64,8] places, float[8,90] head> {
        e = Gather(table, ids)  p = Gather(places, position_ids)  x = Add(e, p)  y = MatMul(x, head) }"""
    found = inspect(walk(graph(text)), sizes={"n": 2, "s": 5}, sample="token")
    assert found.samples_per_run == 10
    assert list(found.task.parts) == ["s tokens"]


def test_how_long_a_second_is_is_assumed() -> None:
    profile = profile_of("automatic-speech-recognition")
    lines = inspect(profile, sample="second").assumptions
    assert "16,000 numbers in a second of audio (--sample second@16000)" in lines
    stated = inspect(profile, sample="second@16000").assumptions
    assert not any("second" in line for line in stated)


WRONG = [
    # task of the graph, sample, what it says
    ("image-classification", "token", "the model takes no tokens; use example"),
    ("image-classification", "second", "the model takes no audio; use example"),
    ("language-modeling", "second", "the model takes no audio; use example"),
    ("automatic-speech-recognition", "second@0", "'0' is no number of input steps a second"),
    ("automatic-speech-recognition", "second@x", "'x' is no number of input steps a second"),
    ("automatic-speech-recognition", "second@" + "9" * 5000, "is no number of input steps a second"),
    ("automatic-speech-recognition", "minute", "no sample 'minute'; use one of example, token, second"),
    ("automatic-speech-recognition", "seconds", "no sample 'seconds'; did you mean second?"),
    ("language-modeling", "example@3", "no sample 'example@3'"),
]


@pytest.mark.parametrize(("task", "sample", "says"), WRONG)
def test_samples_a_model_does_not_have(task: str, sample: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        inspect(profile_of(task), sample=sample)
    assert str(caught.value).startswith("--sample: ")
    assert says in str(caught.value)


def test_a_stated_task_overrules_the_guess() -> None:
    profile = profile_of("masked-language-modeling")
    stated = inspect(profile, task="language-modeling").task
    assert (stated.name, stated.sample, stated.guessed) == ("language-modeling", "token", False)
    assert inspect(profile, task="text-classification").task.sample == "example"
    # tokens are no sample of a model that takes none
    assert inspect(profile_of("image-classification"), task="language-modeling").task.sample == "example"


@pytest.mark.parametrize(("alias", "task"), ALIASES.items())
def test_other_names_of_tasks(alias: str, task: str) -> None:
    assert task in TASKS
    assert inspect(profile_of(None), task=alias).task.name == task


def test_unknown_tasks() -> None:
    with pytest.raises(UsageError, match="no task 'detection'; did you mean object-detection"):
        inspect(profile_of(None), task="detection")


REAL = {
    "gpt2": "language-modeling", "bert_base": "text-encoding", "resnet50": "image-classification",
    "resnet50_hw": "image-classification", "vit_b_16": "image-classification", "vgg16": "image-classification",
    "gpt2_small": "language-modeling", "llama_small": "language-modeling", "qwen3_small": "language-modeling",
    "mixtral_small": "language-modeling", "gemma2_small": "language-modeling", "detector": "object-detection",
    "deeplabv3_mobilenet_v3_large": "image-segmentation", "ssd300_maps": "object-detection",
    "gpt2_decode_small": "language-modeling",
    "llama_decode_small": "language-modeling", "roberta_small": "masked-language-modeling",
    "distilbert_small": "text-encoding", "t5_encoder_small": "text-encoding", "t5_small": "text2text-generation",
    "bart_small": "text2text-generation", "clip_small": "zero-shot-image-classification",
    "r3d_18": "video-classification", "mvit_v1_b": "video-classification", "swin_t": "image-classification",
    "fcn_resnet50": "image-segmentation", "lraspp_mobilenet_v3_large": "image-segmentation",
    "unet": "image-segmentation", "ssdlite320_maps": "object-detection",
    "wav2vec2_small": "automatic-speech-recognition", "whisper_encoder_small": "audio-encoding",
    "whisper_small": "automatic-speech-recognition",
}  # fmt: skip


@pytest.mark.exports
@pytest.mark.parametrize(("name", "task"), REAL.items())
def test_real_exports(name: str, task: str) -> None:
    from scalecalc import profile

    path = EXPORTS / f"{name}.onnx"
    assert path.exists(), f"{path} is missing: python tests/exports/make.py"
    assert guess(profile(path)).name == task
