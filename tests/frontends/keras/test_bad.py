"""Files that are wrong, or mean harm: one line that says what, where and what to do."""

from __future__ import annotations

import io
import json
import random
import zipfile
from copy import deepcopy
from pathlib import Path

import pytest

from scalecalc.cli import run
from scalecalc.errors import FileError, ScalecalcError
from scalecalc.frontends.keras import parse, read
from scalecalc.frontends.keras.archive import MOST_CONFIG
from scalecalc.walk import walk
from tests.frontends.keras.configurations import called, functional, image, layer, sequential, tensor

HERE = Path(__file__).parent
SMALL = sequential(image(4), layer("Dense", units=3))


def packed(*members, method=zipfile.ZIP_DEFLATED):
    """An archive of (name, contents) pairs."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, contents in members:
            archive.writestr(name, contents)
    return stream.getvalue()


def text(document):
    return json.dumps(document)


def lying():
    """An archive whose list says 40 bytes for a configuration of 200 and more."""
    raw = packed(("config.json", text(SMALL)))
    size = len(text(SMALL)).to_bytes(4, "little")
    place = raw.rindex(size)
    return raw[:place] + (40).to_bytes(4, "little") + raw[place + 4 :]


def many(count):
    return packed(*((f"assets/{number:030}", "") for number in range(count)), ("config.json", text(SMALL)))


ARCHIVES = [
    (lambda: packed(("config.json", b" " * 30_000_000)), "its config.json unpacks to 30,000,000 bytes"),
    (lambda: packed(("config.json", b" " * 15_000_000)), "its config.json unpacks to 15,000,000 bytes"),
    (lying, "is no readable archive"),
    (lambda: many(12_000), "lists more than 10,000 members"),
    (lambda: packed(("../config.json", "{}"), ("config.json", text(SMALL))), "a member outside of itself"),
    (lambda: packed(("/etc/passwd", ""), ("config.json", text(SMALL))), "a member outside of itself"),
    (lambda: packed(("a\\..\\..\\b", ""), ("config.json", text(SMALL))), "a member outside of itself"),
    (lambda: packed(("C:/b", ""), ("config.json", text(SMALL))), "a member outside of itself"),
    (lambda: packed(("model.weights.h5", b"")), "has no config.json"),
    (lambda: packed(("config.json", text(SMALL)), ("./config.json", "{}")), "has 2 members called config.json"),
    (lambda: packed(("config.json", text(SMALL)), method=zipfile.ZIP_LZMA), "packed in a way Keras does not use"),
    (lambda: packed(("config.json", text(SMALL)))[:60], "is no readable archive"),
    (lambda: b"\x89HDF\r\n\x1a\n" + bytes(100), "is an HDF5 file"),
    (lambda: b"PK\x03\x04" + bytes(100), "is no readable archive"),
]


@pytest.mark.parametrize(("make", "said"), ARCHIVES)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_archives(make, said, tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(make())
    for opened in (lambda: read(path), lambda: parse(path.read_bytes(), str(path))):
        with pytest.raises(FileError) as caught:
            opened()
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)
        assert str(caught.value).startswith(str(path))


def test_what_is_beside_the_configuration_is_never_read():
    damaged = packed(("model.weights.h5", b"x" * 1000), ("config.json", text(SMALL)), method=zipfile.ZIP_STORED)
    damaged = damaged.replace(b"x" * 1000, b"y" * 1000)  # its checksum is wrong now
    assert len(parse(damaged, "f").initializers) == 2


X, DENSE = called(image(4)), layer("Dense", "d", units=3)
CYCLE = functional(["x"], ["a"], X, called(layer("Add", "a"), [tensor("x"), tensor("b")]),
                   called(layer("Dense", "b", units=4), [tensor("a")]))  # fmt: skip
DOCUMENTS = [
    ("[" * 100_000, "its JSON is nested too deeply"),
    ("[" * 100_000 + "]" * 100_000, "its JSON is nested too deeply"),
    (" " * (MOST_CONFIG + 1), "is larger than 20,000,000 bytes"),
    ("1" * 10_000, "is neither a .keras archive nor JSON"),
    ("\xff", "is no configuration of a Keras model"),
    ("{", "is neither a .keras archive nor JSON"),
    ("[]", "is no configuration of a Keras model"),
    (text({"architectures": ["GPT2"]}), "is no configuration of a Keras model"),
    (text({"class_name": "Mine", "config": {}}), "holds a Mine, whose layers stand in its code"),
    (text(sequential()), "it has no layers"),
    (text(sequential(DENSE)), "the shape of its input is not in the file"),
    (text(sequential(image(4), {"config": {}})), "class_name is not a text but missing"),
    (text(sequential(image(4), "Dense")), "layers is not a list of objects"),
    (text(sequential(image(4), layer("Dense", "d", units="many"))), "layer d (Dense): units is not a whole number"),
    (text(sequential(image(4), layer("Dense", "d", units=-3))), "layer d (Dense): units is not a whole number"),
    (text(sequential(image(4), layer("Dense", "d", units=True))), "layer d (Dense): units is not a whole number"),
    (text(sequential(image(4), layer("Dense", "d", units=10**30))), "layer d (Dense): units is not a whole number"),
    (text(sequential(image(4), layer("Dense", "d", units=3, use_bias=1))), "use_bias is not true or false"),
    (text(sequential(image(None), DENSE)), "d.kernel: its shape (seq, 3) depends on an open axis"),
    (text(sequential(image(4), layer("Conv2D", "c", filters=3, kernel_size=3))), "layer c (Conv2D): it takes 4 axes"),
    (
        text(sequential(image(8, 8, 3), layer("Conv2D", "c", filters=3, kernel_size=[3, 3, 3]))),
        "layer c (Conv2D): kernel_size is not a list of 2",
    ),
    (text(sequential(image(2, 2, 3), layer("Conv2D", "c", filters=3, kernel_size=3))), "layer c (Conv2D)"),
    (text(sequential(image(8, 8, 3), layer("BatchNormalization", "n", axis=7))), "layer n (BatchNormalization): axis"),
    (text(sequential(image(6), layer("Reshape", "r", target_shape=[4, -1]))), "layer r (Reshape)"),
    (text(CYCLE), "its layers wait for each other: a -> b -> a"),
    (
        text(functional(["x"], ["d"], X, called(DENSE, [tensor("y")]))),
        "there is no layer 'y'",
    ),
    (text(functional(["x"], ["d"], X, called(DENSE, [tensor("x", call=3)]))), "layer 'x' has no call number 4"),
    (text(functional(["x"], ["d"], X, called(DENSE, [tensor("x", output=2)]))), "layer 'x' has no output number 3"),
    (text(functional(["x"], ["e"], X, called(DENSE, [tensor("x")]))), "there is no layer 'e'"),
    (text(functional(["z"], ["d"], X, called(DENSE, [tensor("x")]))), "its input 'z' is no layer with a shape"),
    (text(functional(["x"], ["d"], X, called(DENSE, []))), "layer d (Dense): it is called on nothing"),
    (
        text(functional(["x"], ["a"], X, called(DENSE, [tensor("x", [None, 4])]),
                        called(layer("Add", "a"), [[tensor("x"), tensor("d")]]))),
        "layer a (Add)",
    ),
    (
        text(functional(["x"], ["e"], X, called(DENSE, [tensor("x", [None, 4])]),
                        called(layer("Dense", "e", units=1), [tensor("d", [None, 5])]))),
        "layer d (Dense): its output has 3 entries in axis 1 where the file states 5",
    ),
    (text(functional(["x"], ["d"], X, {**DENSE, "inbound_nodes": "x"})), "inbound_nodes is not a list"),
    (text(functional(["x"], ["d"], X, {**DENSE, "inbound_nodes": [["x", 0]]})), "something else than [layer, call"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "said"), DOCUMENTS, ids=range(len(DOCUMENTS)))
def test_documents(document, said):
    with pytest.raises(ScalecalcError) as caught:
        walk(parse(document.encode("utf-8") if document != "\xff" else b'"\\u00ff"', "model.json"))
    assert said in str(caught.value)
    assert str(caught.value).startswith("model.json: ")
    assert "\n" not in str(caught.value)


def nested(depth):
    inner = layer("Dense", units=4)
    for _ in range(depth):
        inner = {**sequential(inner, deepcopy(inner) if depth < 30 else layer("Dense", units=4)), "module": "keras"}
    return sequential(image(4), inner)


def test_models_inside_models_end():
    with pytest.raises(FileError, match="layers inside each other"):
        parse(text(nested(60)).encode(), "f")


def test_calls_that_multiply_end():
    """Each model calls the one inside twice: 2**40 calls in a file of a few lines."""
    model = functional(["x"], ["x"], X, name="m0")
    for number in range(1, 20):
        inner, name = {**model, "module": "keras"}, f"m{number - 1}"
        twice = {**inner, "name": name, "inbound_nodes": [{"args": [tensor("x")]}, {"args": [tensor(name)]}]}
        model = functional(["x"], ["x"], X, twice, name=f"m{number}")
    with pytest.raises(FileError, match="calls of layers"):
        parse(text(model).encode(), "f")


def test_the_command_line_says_it_in_one_line(tmp_path, capfd):
    path = tmp_path / "model.keras"
    path.write_bytes(packed(("config.json", text(sequential(image(4), layer("Dense", "d", units="many"))))))
    assert run(["inspect", str(path)]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines() == [
        f"scalecalc: {path}: layer d (Dense): units is not a whole number from 1 on but many; "
        "correct the file, or save the model again"
    ]


def spots(value, found):
    """Every place of a tree: (container, key)."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        found.append((value, key))
        spots(inner, found)
    return found


STRANGE = [
    None,
    True,
    False,
    -1,
    0,
    3,
    10**9,
    2**62,
    1.5,
    float("nan"),
    "",
    "x",
    "same",
    [],
    [[]],
    [None, 4],
    {},
    {"a": 1},
]


@pytest.mark.parametrize(
    "name", ["shared", "operations", "translator", "arrangements", "recurrents", "norms", "signals"]
)
def test_no_change_of_a_file_gives_anything_but_an_error_or_an_answer(name):
    """1 to 4 entries dropped, replaced, or put in another's place, 350 times."""
    with zipfile.ZipFile(HERE / "files" / f"{name}.keras") as archive:
        whole = json.loads(archive.read("config.json"))
    chance, answered = random.Random(name), 0
    for _ in range(350):
        changed = deepcopy(whole)
        for _ in range(chance.randint(1, 4)):
            places = spots(changed, [])
            container, key = chance.choice(places)
            kind = chance.random()
            if kind < 0.3 and isinstance(container, dict):
                del container[key]
            elif kind < 0.7:
                container[key] = deepcopy(chance.choice(STRANGE))
            else:
                other, place = chance.choice(places)
                container[key] = deepcopy(other[place])
        answered += _holds(json.dumps(changed).encode())
    assert answered > 20


def _holds(raw: bytes) -> bool:
    """Whether there is an answer; anything but one line of error fails the test."""
    try:
        walk(parse(raw, "f"))
    except ScalecalcError as error:
        said = str(error)
    else:
        return True
    assert said.startswith("f: ")
    return False
