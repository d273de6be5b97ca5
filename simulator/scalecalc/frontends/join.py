"""Several graphs as one model: an encoder and a decoder exported apart.

Outputs of earlier graphs feed inputs of later ones. A dimension's name means the same in two files only where a
value they share says so; all other names that occur twice get the file's stem in front.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from scalecalc.frontends.interfaces import Fit, Pair, fit, known, unfit
from scalecalc.frontends.onnx import read
from scalecalc.frontends.renaming import Renaming, in_terms_of
from scalecalc.frontends.shared import SharedTensors
from scalecalc.frontends.stored import Stored
from scalecalc.ir.graph import Function, Graph, Initializer
from scalecalc.ops import find


def read_joined(paths: Sequence[str | os.PathLike[str]], joins: Sequence[Pair] = ()) -> Graph:
    """The graphs of several ONNX files as one.

    Args:
        paths: the files, those first whose outputs others need.
        joins: (output, input) pairs by name, where names and types do not say which belong together.

    Raises:
        ScalecalcError: a file cannot be read, or nothing of it fits the others.
    """
    graphs = [read(path) for path in paths]
    for graph, name in zip(graphs, _labels([Path(path) for path in paths]), strict=True):
        graph.name = name
    with ExitStack() as stack:
        return joined(graphs, joins, [stack.enter_context(Stored(path)) for path in paths])


def joined(graphs: Sequence[Graph], joins: Sequence[Pair] = (), stored: Sequence[Stored] = ()) -> Graph:
    """One graph of several, in their order.

    Nodes and values are called `<graph>/<name>`, but for inputs and outputs, which keep their names where these are
    free. An input of a later graph is fed by the output stated in `joins`, else that of its own name, else that of
    the usual name (`encoder_hidden_states`: `last_hidden_state`); where none is fed so, by the only output of fitting
    type. It is an input of the graphs before where its name, its type and the meaning of its dimensions are the
    same. Tensors of equal contents are one, as far as `stored` tells (`SharedTensors` says which). `metadata["note"]`
    says what was done, a line for each.

    Args:
        graphs: with names that differ.
        joins: (output, input) pairs.
        stored: the files' contents; empty: no tensor is in two graphs.

    Raises:
        UsageError: a pair names no output or input, or its types differ.
        GraphError: nothing feeds a later graph.
    """
    merged, rest = _Merged(graphs[0], stored), known(joins, graphs)
    for graph in graphs[1:]:
        found = fit(merged.graph, graph, rest, spent=merged.fed)
        rest = [pair for pair in rest if pair not in found.stated]
        merged.add(graph, found)
    if rest:
        raise unfit(rest[0])
    return merged.finished()


class _Merged:
    """The graphs joined so far.

    Attributes:
        graph: with all their outputs, those too that feed others.
        fed: the outputs that feed others.
        tensors: stored in the files so far.
    """

    def __init__(self, first: Graph, stored: Sequence[Stored]) -> None:
        self.tensors = SharedTensors(stored)
        self.graph = Graph("", [], {}, {}, {}, format=first.format, metadata={**first.metadata, "nodes": "0"})
        self.fed: set[str] = set()
        self.labels: list[str] = []
        self.prefixes: list[str] = []
        self.notes: list[str] = []
        self.add(first, Fit())

    def add(self, graph: Graph, found: Fit) -> None:
        """Take a graph in as it fits."""
        self._fix(graph.name, found.fixed)
        prefix = self._prefix(graph)
        names = self._names(graph, found, prefix)
        self._remark(graph, found, {name: prefix for name in graph.inputs if name not in names})
        renaming = Renaming(
            lambda name: names.get(name) or (prefix + name if name else ""),
            self._calls(graph),
            {name: in_terms_of(meaning, found.fixed) or name for name, meaning in found.dims.items()},
        )
        for node in map(renaming.node, graph.nodes):
            node.name = prefix + node.name.lstrip("/")
            self.graph.nodes.append(node)
        self._take_values(graph, renaming, found)
        self._take_facts(graph)
        self.fed.update(found.feeds.values())
        self.labels.append(graph.name)
        self.prefixes.append(prefix)

    def _take_values(self, graph: Graph, renaming: Renaming, found: Fit) -> None:
        whole = self.graph
        own = {name: declared for name, declared in graph.inputs.items() if name not in found.feeds}
        for held, types in ((whole.inputs, own), (whole.outputs, graph.outputs), (whole.value_info, graph.value_info)):
            for name, declared in renaming.types(types).items():
                held.setdefault(name, declared)
        for name, tensor in graph.initializers.items():
            new = renaming.value(name)
            whole.initializers.setdefault(new, tensor._replace(name=new))
        for function in map(renaming.function, graph.functions.values()):
            whole.functions[function.domain, function.name] = function

    def _take_facts(self, graph: Graph) -> None:
        whole = self.graph
        count = int(whole.metadata["nodes"]) + int(graph.metadata.get("nodes", len(graph.nodes)))
        whole.metadata["nodes"] = str(count)
        whole.opset = max(whole.opset, graph.opset)
        self.notes += graph.metadata.get("note", "").splitlines()

    def finished(self) -> Graph:
        """The joint graph: what feeds another graph is no output of it."""
        whole, fed = self.graph, self.fed
        whole.name = "+".join(self.labels)
        whole.value_info.update((name, whole.outputs[name]) for name in fed)
        whole.outputs = {name: declared for name, declared in whole.outputs.items() if name not in fed}
        self.notes += self.tensors.notes()
        whole.metadata["note"] = "\n".join(self.notes)
        return whole

    def _fix(self, label: str, sizes: dict[str, int]) -> None:
        """Names of dimensions so far that the next graph has numbers for."""
        if not sizes:
            return
        whole, fixed = self.graph, Renaming(lambda name: name, dims=sizes)
        whole.inputs, whole.outputs = fixed.types(whole.inputs), fixed.types(whole.outputs)
        whole.value_info = fixed.types(whole.value_info)
        self.notes += [f"{name} is {size:,}: {label} takes no other" for name, size in sizes.items()]

    def _names(self, graph: Graph, found: Fit, prefix: str) -> dict[str, str]:
        """New names of the values that do not get the graph's in front."""
        whole, prefixes = self.graph, tuple(self.prefixes)
        names = {**found.feeds, **found.shared}
        for name in (*graph.inputs, *graph.outputs):
            if name not in whole.inputs and name not in whole.outputs and not name.startswith(prefixes):
                names.setdefault(name, name)
        names.update(self.tensors.take(graph, len(self.labels), prefix))
        return names

    def _prefix(self, graph: Graph) -> str:
        prefix = f"{graph.name}/"
        kept = (*self.graph.inputs, *self.graph.outputs, *graph.inputs, *graph.outputs)
        while any(name.startswith(prefix) for name in kept):
            prefix = f"{prefix[:-1]}_/"
        return prefix

    def _calls(self, graph: Graph) -> dict[tuple[str, str], tuple[str, str]]:
        """New names of functions whose name another graph gave to another body; a rule needs its own name."""
        return {
            key: (key[0], f"{key[1]}@{graph.name}")
            for key, function in graph.functions.items()
            if key in self.graph.functions and not find(*key) and not _equal(function, self.graph.functions[key])
        }

    def _remark(self, graph: Graph, found: Fit, apart: dict[str, str]) -> None:
        self.notes += [f"{output} feeds {name} of {graph.name}" for name, output in found.feeds.items()]
        self.notes += [f"{name} of {graph.name} is the input {whole}" for name, whole in found.shared.items()]
        self.notes += [f"{name} of {graph.name} is an input of its own, {p}{name}" for name, p in apart.items()]


def _equal(a: Function, b: Function) -> bool:
    """Whether two functions are certainly one: contents that were not read could differ."""
    tensors = [x for node in a.nodes for x in node.attributes.values() if isinstance(x, Initializer)]
    return all(tensor.value is not None for tensor in tensors) and repr(a) == repr(b)


def _labels(paths: Sequence[Path]) -> list[str]:
    """The files' stems, with their folder's name where these are the same, numbered where that is, too."""
    stems = [path.stem for path in paths]
    labels: list[str] = []
    for path in paths:
        label = path.stem if stems.count(path.stem) == 1 else f"{path.resolve().parent.name}_{path.stem}"
        while label in labels:
            label += "_2"
        labels.append(label)
    return labels
