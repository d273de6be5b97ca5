"""Every rule against execution, against hand-written formulas, and against itself at other sizes."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from scalecalc.dims import FAMILY, Condition, Symbol, System, evaluate, lone
from scalecalc.errors import ShapeError
from scalecalc.ir.graph import Initializer
from scalecalc.ir.unfold import CONTROL
from scalecalc.ops import OPERATORS, Cost, Operator, Tensor
from tests.ops.cases import CASES, NOT_COUNTED, NOT_READ
from tests.ops.rows import DEFAULT, Case, Number

LATEST = 23
TYPES = ("to", "dtype", "output_dtype", "output_datatype")
"""Attributes that hold an element type: the front end turns its number into a name."""
EXECUTED_LATER = {
    "Swish": 24,
    "TensorScatter": 24,
    "BitCast": 26,
    "CumProd": 26,
    "CausalConvWithState": 27,
    "SwiGLU": 28,
}
"""Operators newer than the operator set the others run in."""

table = pytest.mark.parametrize("case", CASES, ids=str)


def dims(text: str, names: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
    """(dtype, dimensions) of a shape's text; None for `?`."""
    dtype, _, shape = text.rpartition(":")
    return dtype or "float32", tuple(None if part == "?" else eval(part, {}, dict(names)) for part in shape.split())


def tensor(given: Any, names: Mapping[str, Any], slot: int) -> Tensor | None:
    if given is None:
        return None
    if isinstance(given, Number):
        return Tensor((), "int64", (names[given.name],), None, slot)
    if isinstance(given, str):
        dtype, shape = dims(given, names)
        return Tensor(shape, dtype, None, None, slot)
    entries = given if isinstance(given, tuple) else (given,)
    value = tuple(eval(x, {}, dict(names)) if isinstance(x, str) else x for x in entries)
    dtype = "float32" if isinstance(entries[0], float) else "int64"
    return Tensor((len(value),) if isinstance(given, tuple) else (), dtype, value, None, slot)


def run(case: Case, names: Mapping[str, Any], system: System | None = None) -> Cost:
    """The rule on the row's inputs with dimensions from `names`, which are numbers or symbols of `system`."""
    operator = OPERATORS[case.domain, case.op]
    inputs = [tensor(x, names, slot) for slot, x in enumerate(case.inputs)]
    attributes = {name: value for name, value in case.attributes.items() if name in operator.attributes}
    if "n_outputs" in operator.wants:
        attributes["n_outputs"] = case.n_outputs
    if "system" in operator.wants:
        attributes["system"] = system or System()
    return operator.rule(*inputs, **attributes)


@table
def test_shapes_and_macs_are_those_written_down(case: Case) -> None:
    cost = run(case, DEFAULT)
    for out, expected in zip(cost.outputs, case.outputs, strict=False):
        dtype, shape = dims(expected, DEFAULT)
        assert len(out.shape) == len(shape)
        assert all(lone(dim) if wanted is None else dim == wanted for dim, wanted in zip(out.shape, shape, strict=True))
        assert dtype == (out.dtype or dims(str(case.inputs[0]), DEFAULT)[0])
    assert len(cost.outputs) >= case.n_outputs
    assert sum(macs for macs, *_ in cost.contractions) == eval(case.macs, {}, dict(DEFAULT))
    assert not case.vector or cost.vector == eval(case.vector, {}, dict(DEFAULT))


def array(x: Tensor) -> np.ndarray:
    dtype = np.dtype(x.dtype)
    if x.value is not None:
        return np.array(x.value, dtype).reshape(x.shape)
    if dtype.kind == "f":
        return np.random.default_rng(0).uniform(0.1, 0.9, x.shape).astype(dtype)
    return np.zeros(x.shape, dtype)


def attribute(name: str, value: Any) -> Any:
    if isinstance(value, Initializer):
        return numpy_helper.from_array(np.array(value.value, value.dtype))
    if name in TYPES:
        return helper.np_dtype_to_tensor_dtype(np.dtype(value))
    return list(value) if isinstance(value, tuple) else value


def inferred(model: onnx.ModelProto) -> list[np.ndarray]:
    """Shapes by onnx's own inference, for what its reference evaluator does not execute, or wrongly."""
    graph = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    types = [y.type.tensor_type for y in graph.output]
    dtypes = [helper.tensor_dtype_to_np_dtype(x.elem_type) for x in types]
    return [np.zeros([d.dim_value for d in x.shape.dim], dtype) for x, dtype in zip(types, dtypes, strict=True)]


@pytest.mark.parametrize("case", [case for case in CASES if case.shown_by], ids=str)
@pytest.mark.parametrize("grown", [0, 1, 4])
def test_shapes_are_those_of_execution(case: Case, grown: int) -> None:
    names = {name: size + grown for name, size in DEFAULT.items()}
    if "c 1 3 3" in case.inputs:
        names["c"] = DEFAULT["c"]  # group=3 is a number of the file
    cost, tensors = run(case, names), {}
    operator_inputs, contents = [], []
    for slot, x in enumerate(case.inputs):
        made = tensor(x, names, slot)
        operator_inputs.append(f"x{slot}" if made is not None else "")
        if made is not None:
            tensors[f"x{slot}"] = array(made)
            contents += [slot] if made.value is not None else []
    attributes = {name: attribute(name, value) for name, value in case.attributes.items()}
    outputs = [f"y{i}" for i in range(case.n_outputs)]
    info, type_of = helper.make_tensor_value_info, helper.np_dtype_to_tensor_dtype
    node = helper.make_node(case.op, operator_inputs, outputs, **attributes)
    fed = [info(name, type_of(a.dtype), a.shape) for name, a in tensors.items()]
    given = [numpy_helper.from_array(tensors[f"x{slot}"], f"x{slot}") for slot in contents]
    results = [info(name, TensorProto.UNDEFINED, None) for name in outputs]
    graph = helper.make_graph([node], "one", fed, results, given if case.shown_by == "inference" else [])
    opset = [helper.make_opsetid("", EXECUTED_LATER.get(case.op, LATEST))]
    model = helper.make_model(graph, opset_imports=opset, ir_version=11)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        results = inferred(model) if case.shown_by == "inference" else ReferenceEvaluator(model).run(None, tensors)
    for out, result in zip(cost.outputs, results, strict=False):
        for dim, size in zip(out.shape, np.shape(result), strict=True):
            assert dim == size if isinstance(dim, int) else size <= lone(dim).bound
        assert out.dtype in ("", str(np.asarray(result).dtype))
        if out.value is not None and None not in out.value:
            assert list(out.value) == np.asarray(result).ravel().tolist()


def holds(conditions: Any, sizes: Mapping[str, int]) -> bool:
    def true(c: Condition) -> bool:
        left, right = evaluate(c.left, sizes), evaluate(c.right, sizes)
        if left is None or right is None:
            return True  # of a size that is data
        return {"<=": left <= right, "==": left == right, "%": right != 0 and left % right == 0}[c.op]

    return all(map(true, conditions))


def numbers(cost: Cost, sizes: Mapping[str, int]) -> dict[str, Any]:
    """Everything a rule says, at those sizes."""

    def at(x: Any) -> Any:
        return evaluate(x, sizes) if not isinstance(x, float | bool | None) else x

    found: dict[str, Any] = {
        "outputs": [(tuple(map(at, o.shape)), o.dtype, o.value and tuple(map(at, o.value)), at(o.limit))
                    for o in cost.outputs],
        "vector": at(cost.vector),
        "backward": {slot: at(flops) for slot, flops in cost.backward.items()},
        "keeps": [(keep.what, at(keep.bytes), keep.when) for keep in cost.keeps],
        "view": cost.view,
    }  # fmt: skip
    found["contractions"] = [
        (at(macs), *((x.slots, x.keep.what, at(x.keep.bytes)) for x in operands))
        for macs, *operands in cost.contractions
    ]
    return found


@table
@given(data=st.data())
def test_formulas_evaluated_are_counts_made_with_numbers(case: Case, data: st.DataObject) -> None:
    used = [n for n in DEFAULT if any(n in str(x) for x in (*case.inputs, *case.outputs))]
    sizes = {n: data.draw(st.integers(case.least.get(n, 1), 20), n) for n in used}
    if "c 1 3 3" in case.inputs:
        sizes["c"] = 3
    system = System()
    symbols = {n: system.symbol(n) for n in used}
    cost = run(case, symbols, system)
    assume(holds(system.conditions, sizes))
    bound = {n: size for n, size in sizes.items() if str(system.resolve(symbols[n])) == n}
    assert {n: evaluate(system.resolve(symbols[n]), bound) for n in used} == sizes
    expected = numbers(run(case, sizes), {})
    found = numbers(resolved(cost, system), bound)
    for out, other in zip(expected["outputs"], found["outputs"], strict=True):
        assert out[:2] == other[:2]
        assert other[2] is None or out[2] is None or other[2] == out[2]  # long contents are only known of numbers
        assert other[3] == out[3]
    assert {**found, "outputs": 0} == {**expected, "outputs": 0}
    counts = (found["vector"], *found["backward"].values(), *(k[1] for k in found["keeps"]))
    assert all(count is None or count >= 0 for count in counts)


@table
def test_families_are_counts_made_with_numbers_at_their_hints(case: Case) -> None:
    """Symbols that stand for numbers of a file, whose other numbers (attributes, shapes) belong to that size."""
    system = System()
    symbols = {n: system.symbol(n, kind=FAMILY, hint=size) for n, size in DEFAULT.items()}
    cost = resolved(run(case, symbols, system), system)
    hints = {atom.name: atom.hint for atom in system.atoms if isinstance(atom, Symbol) and atom.kind == FAMILY}
    found = numbers(cost, hints)
    expected = numbers(run(case, DEFAULT), DEFAULT)
    assert [out[:2] for out in found["outputs"]] == [out[:2] for out in expected["outputs"]]
    assert {**found, "outputs": 0} == {**expected, "outputs": 0}


def resolved(cost: Cost, system: System) -> Cost:
    for out in cost.outputs:
        out.shape = tuple(map(system.resolve, out.shape))
    cost.vector = system.resolve(cost.vector)
    cost.backward = {slot: system.resolve(flops) for slot, flops in cost.backward.items()}
    cost.contractions = [(system.resolve(macs), a, b) for macs, a, b in cost.contractions]
    return cost


def operators() -> list[Any]:
    """All but what joins the bodies of loops and branches, which only means something in a graph (test_control.py)."""
    return [pytest.param(o, id=o.name) for o in OPERATORS.values() if o.domain != CONTROL]


@pytest.mark.parametrize("operator", operators())
def test_every_operator_has_a_row(operator: Operator) -> None:
    assert any((case.domain, case.op) == (operator.domain, operator.name) for case in CASES)


@pytest.mark.parametrize("operator", [p for p in operators() if not p.values[0].domain])
def test_a_signature_is_the_schema(operator: Operator) -> None:
    schema = onnx.defs.get_schema(operator.name)
    parameters = inspect.signature(operator.rule).parameters.values()
    positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    assert operator.required == (schema.min_input if not variadic or positional else 0)
    assert variadic == (schema.max_input > 9)
    assert variadic or len(positional) == schema.max_input
    assert operator.fixed_inputs <= set(range(9 if variadic else schema.max_input))
    shared = {"axis"} if operator.name == "ScatterND" else set()  # one rule for both scatters
    assert set(operator.attributes) - shared <= set(schema.attributes)
    for p in parameters:
        stated = schema.attributes.get(p.name) if p.kind is p.KEYWORD_ONLY else None
        if stated is not None and stated.default_value.type and p.name not in TYPES:
            default = helper.get_attribute_value(stated.default_value)
            if isinstance(default, list):
                default = tuple(x.decode() for x in default)
            assert p.default == (default.decode() if isinstance(default, bytes) else default)


@pytest.mark.parametrize("operator", [p for p in operators() if not p.values[0].domain])
def test_every_attribute_is_read_or_does_not_count(operator: Operator) -> None:
    for name in onnx.defs.get_schema(operator.name).attributes:
        read = name in operator.attributes
        assert read or name in NOT_COUNTED or (operator.name, name) in NOT_READ


def test_refused() -> None:
    for op, inputs, attributes in [
        ("MatMul", ("2 3", "4 5"), {}), ("MatMul", ("", "4"), {}), ("Conv", ("1 3 8 8", "4 2 3 3"), {}),
        ("Conv", ("1 3 2 2", "4 3 3 3"), {}), ("Conv", ("1 3 8 8", "4 3 3 3", "5"), {}),
        ("Gemm", ("2 3", "3 4", "5"), {}), ("Add", ("2 3", "4"), {}), ("Concat", ("2 3", "3 4"), {"axis": 0}),
        ("Transpose", ("2 3",), {"perm": (0, 0)}), ("Squeeze", ("2 3", (0,)), {}), ("Reshape", ("2 3", (4,)), {}),
        ("Expand", ("2 3", (4, 1)), {}), ("Split", ("2 3", (1, 1)), {"axis": 1}), ("Gather", ("2 3", (2,)), {}),
        ("Einsum", ("2 3", "2 3"), {"equation": "ij,jk->ik"}), ("Einsum", ("2 3",), {"equation": "ijk->k"}),
        ("BatchNormalization", ("2 3", "3", "3", "3", "2"), {}), ("LayerNormalization", ("2 3", "2"), {}),
        ("LSTM", ("3 2 4", "1 20 4", "1 16 4"), {}), ("LSTM", ("3 2 4", "1 16 4", "1 16 4", "1 16"), {}),
        ("LSTM", ("3 2 4", "1 16 4", "1 16 4"), {"direction": "bidirectional"}),
        ("GRU", ("3 2 4", "1 12 4", "1 12 4"), {"activations": ("Sigmoid", "Sine")}),
        ("RNN", ("3 2 4", "1 4 5", "1 4 4"), {}), ("RNN", ("3 2 4", "1 4 4", "1 4 4", None, None, "1 2 5"), {}),
        ("Resize", ("1 3 8 8", None, (1.0, 1.0, 0.0, 1.0)), {}), ("Resize", ("1 3 8 8",), {}),
        ("Attention", ("2 6 5 4", "2 4 5 4", "2 4 5 4"), {}), ("Attention", ("2 6 5 4", "2 6 5 3", "2 6 5 4"), {}),
        ("Col2Im", ("1 12 34", (6, 8), (2, 2)), {}), ("TensorScatter", ("2 3 4 5", "2 3 6 5"), {}),
        ("SoftmaxCrossEntropyLoss", ("2 3", "int64: 4"), {}),
        ("GroupNormalization", ("2 6 4", "3", "3"), {"num_groups": 3}),
        ("QLinearMatMul", ("2 3", 0.5, "", "4 5", 0.5, "", 0.5, ""), {}),
        ("Range", (0, 4, 0), {}), ("DepthToSpace", ("1 6 2 2",), {"blocksize": 2}),
    ]:  # fmt: skip
        with pytest.raises(ShapeError):
            run(Case(op, inputs, ("",), "0", attributes), {})
