"""Export real models to ONNX, and record what PyTorch itself says about them.

    python tests/exports/make.py [DIRECTORY] [NAME ...]     (default directory: build/exports)

Every model is built from its configuration with seeded random weights: nothing is downloaded. *All* parameters and
running statistics are randomised first, because exporters merge equal tensors and drop zero biases. For each export
`NAME.onnx` a sidecar `NAME.json` holds PyTorch's own counts; `--truth FILE` gathers the sidecars into one file, as the
`truth.json` beside this script. Files that exist are kept, so an interrupted run goes on where it stopped.

Needs the extra `export`. A torchvision whose compiled operators do not load (a CPU torch beside a CUDA torchvision)
still builds its models once the schemas of its two detection operators exist: `import_torchvision` defines them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from math import prod
from pathlib import Path
from types import ModuleType
from typing import Any

import onnx
import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

Sizes = Mapping[str, int]
Inputs = dict[str, Tensor]

ROOT = Path(__file__).resolve().parents[2]
BATCHES = ({"batch": 1}, {"batch": 2}, {"batch": 3})
SEQUENCES = ({"batch": 1, "seq": 16}, {"batch": 2, "seq": 64}, {"batch": 3, "seq": 100})


# Models


@cache
def import_torchvision() -> ModuleType:
    """torchvision, also where its compiled operators do not load (only its detection models need them)."""
    try:
        import torchvision
    except RuntimeError:
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        for op in ("nms", "qnms"):
            torch.library.define(f"torchvision::{op}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision
    return torchvision


class Logits(nn.Module):
    """A transformers model as a plain function from its tensors to its first output."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        output: Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask, return_dict=False)[0]
        return output


def vision(name: str) -> nn.Module:
    """A torchvision classifier of 1000 classes."""
    model: nn.Module = import_torchvision().models.get_model(name, weights=None)
    return model


def gpt2() -> nn.Module:
    """GPT-2 124M with its language-model head, attention written out."""
    import_torchvision()  # transformers imports it
    from transformers import GPT2Config, GPT2LMHeadModel

    return Logits(GPT2LMHeadModel(GPT2Config(use_cache=False, attn_implementation="eager")))


def bert() -> nn.Module:
    """BERT-base without a pooler: the output is the last hidden state."""
    import_torchvision()  # transformers imports it
    from transformers import BertConfig, BertModel

    return Logits(BertModel(BertConfig(attn_implementation="eager"), add_pooling_layer=False))


def randomize(model: nn.Module, seed: int = 0) -> nn.Module:
    """Give every parameter and running statistic distinct random values."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.normal_(0, 0.02, generator=generator)
        for name, tensor in model.named_buffers():
            if name.endswith("running_mean"):
                tensor.normal_(0, 0.1, generator=generator)
            elif name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5, generator=generator)
    return model


# Cases


def image(sizes: Sizes) -> Inputs:
    """A batch of RGB images."""
    return {"x": torch.randn(sizes["batch"], 3, sizes.get("height", 224), sizes.get("width", 224))}


def tokens(sizes: Sizes) -> Inputs:
    """Token numbers below both vocabularies."""
    return {"input_ids": torch.randint(0, 30000, (sizes["batch"], sizes["seq"]))}


def masked_tokens(sizes: Sizes) -> Inputs:
    """Token numbers and a mask that hides the end of each sequence but the first."""
    mask = torch.ones(sizes["batch"], sizes["seq"], dtype=torch.int64)
    mask[1:, -2:] = 0
    return tokens(sizes) | {"attention_mask": mask}


@dataclass(frozen=True)
class Case:
    """One export: a model, example inputs, its dynamic axes, and the sizes at which PyTorch counts."""

    model: str
    build: Callable[[], nn.Module]
    inputs: Callable[[Sizes], Inputs]
    example: Sizes
    dynamic: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    sizes: tuple[Sizes, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


def image_case(model: str, symbols: str = "batch", side: int = 224, **options: Any) -> Case:
    """A vision model with these of batch, height and width dynamic."""
    axes = {axis: name for axis, name in ((0, "batch"), (2, "height"), (3, "width")) if name in symbols.split()}
    example = {"batch": 2 if axes else 1, "height": side, "width": side}
    sizes: tuple[Sizes, ...] = BATCHES if axes else (example,)
    if "height" in axes.values():
        squares = [{"batch": 1, "height": side, "width": side} for side in (224, 256, 320, 333)]
        sizes = (*squares, {"batch": 2, "height": 200, "width": 333})
    return Case(model, lambda: vision(model), image, example, {"x": axes} if axes else {}, sizes, options)


def text_case(model: str, symbols: str = "batch seq", **options: Any) -> Case:
    """A language model with dynamic batch and sequence, or at one sequence of full length."""
    build, inputs, names = {
        "gpt2": (gpt2, tokens, ("input_ids",)),
        "bert_base": (bert, masked_tokens, ("input_ids", "attention_mask")),
    }[model]
    if not symbols:
        full = {"batch": 1, "seq": 1024}
        return Case(model, build, inputs, full, {}, (full,), options)
    axes = {name: dict(enumerate(symbols.split())) for name in names}
    return Case(model, build, inputs, {"batch": 2, "seq": 17}, axes, SEQUENCES, options)


TORCHSCRIPT = {"dynamo": False}
CASES: dict[str, Case] = {
    "mobilenet_v2": image_case("mobilenet_v2"),
    "resnet50": image_case("resnet50"),
    "resnet50_hw": image_case("resnet50", "batch height width"),
    "gpt2": text_case("gpt2"),
    "bert_base": text_case("bert_base"),
    "vit_b_16": image_case("vit_b_16"),
    "resnet50_224": image_case("resnet50", ""),
    "resnet50_256": image_case("resnet50", "", 256),
    "resnet50_320": image_case("resnet50", "", 320),
    "resnet50_333": image_case("resnet50", "", 333),
    "vgg16": image_case("vgg16"),
    "vgg19": image_case("vgg19"),
    "gpt2_1x1024": text_case("gpt2", ""),
    "resnet50_torchscript": image_case("resnet50", **TORCHSCRIPT),
    "resnet50_torchscript_training": image_case("resnet50", **TORCHSCRIPT, training=True),
    "mobilenet_v2_torchscript": image_case("mobilenet_v2", **TORCHSCRIPT),
    "vit_b_16_torchscript": image_case("vit_b_16", **TORCHSCRIPT),
    "bert_base_torchscript": text_case("bert_base", **TORCHSCRIPT),
    "gpt2_torchscript": text_case("gpt2", **TORCHSCRIPT),
}


# Exports


def export(case: Case, path: Path) -> None:
    """Write the model of `case` as ONNX, weights embedded."""
    model = randomize(case.build()).eval()
    inputs = case.inputs(case.example)
    arguments: dict[str, Any] = {"dynamo": True, "external_data": False, "verbose": False, **case.options}
    if arguments["dynamo"]:
        arguments["dynamic_shapes"] = {name: case.dynamic.get(name) or None for name in inputs}
    else:
        mode = torch.onnx.TrainingMode
        arguments["training"] = mode.TRAINING if arguments.pop("training", False) else mode.EVAL
        arguments.update(input_names=list(inputs), output_names=["output"], dynamic_axes=dict(case.dynamic))
        arguments["dynamic_axes"] = {**case.dynamic, "output": {0: "batch"}}
    unfinished = path.with_suffix(".part")
    torch.onnx.export(model, tuple(inputs.values()), str(unfinished), **arguments)
    unfinished.rename(path)


def histogram(path: Path) -> dict[str, Any]:
    """Opsets, interface and operator counts of an ONNX file, functions included."""
    model = onnx.load(path, load_external_data=False)

    def nodes(graph_nodes: Iterable[onnx.NodeProto]) -> Iterable[onnx.NodeProto]:
        for node in graph_nodes:
            yield node
            for attribute in node.attribute:
                for graph in (attribute.g, *attribute.graphs):
                    yield from nodes(graph.node)

    def shape(value: onnx.ValueInfoProto) -> list[int | str]:
        return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]

    every = [n for part in (model.graph, *model.functions) for n in nodes(part.node)]
    ops = Counter(".".join(filter(None, (node.domain, node.op_type))) for node in every)
    return {
        "opset": {imported.domain or "ai.onnx": imported.version for imported in model.opset_import},
        "producer": f"{model.producer_name} {model.producer_version}".strip(),
        "inputs": {v.name: shape(v) for v in model.graph.input},
        "outputs": {v.name: shape(v) for v in model.graph.output},
        "nodes": len(every),
        "functions": len(model.functions),
        "initializers": len(model.graph.initializer),
        "initializer_elements": sum(prod(t.dims) for t in model.graph.initializer),
        "ops": dict(sorted(ops.items())),
    }


# What PyTorch says


def convolution_backward(
    grad: list[int], x: list[int], weight: list[int], *rest: Any, out_shape: Any = None, **_: Any
) -> int:
    """FLOPs of a convolution's two gradients: each costs the forward pass, groups or not.

    FlopCounterMode's own formula multiplies the weight gradient of grouped convolutions by the number of groups.
    """
    transposed, output_mask = rest[4], rest[7]
    positions = prod((x if transposed else grad)[2:])
    forward = 2 * grad[0] * positions * prod(weight)
    return forward * (bool(output_mask[0]) + bool(output_mask[1]))


def count_flops(run: Callable[[], object], *, corrected: bool = True) -> int:
    """Matrix FLOPs PyTorch executes in `run`, scaled-dot-product attention by its definition."""
    formulas = {torch.ops.aten.convolution_backward: convolution_backward} if corrected else None
    with ExitStack() as stack:
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        counter = stack.enter_context(FlopCounterMode(display=False, custom_mapping=formulas))
        run()
    return int(counter.get_total_flops())


def saved_bytes(model: nn.Module, inputs: Inputs) -> dict[str, int]:
    """Bytes autograd keeps for the backward pass, each storage once, parameters and buffers left out."""
    own = {t.untyped_storage().data_ptr() for t in (*model.parameters(), *model.buffers())}
    kept: dict[int, tuple[torch.dtype, int, Tensor]] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = (tensor.dtype, storage.nbytes(), tensor.detach())  # alive: addresses stay unique
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor), sdpa_kernel(SDPBackend.MATH):
        output = model(**inputs)
    by_dtype: Counter[str] = Counter()
    for dtype, size, _ in kept.values():
        by_dtype[str(dtype).removeprefix("torch.")] += size
    del output
    return {"total": sum(by_dtype.values()), **by_dtype}


@cache
def prepared(model: str) -> nn.Module:
    """The randomised model in evaluation mode (built once per process)."""
    case = next(case for case in CASES.values() if case.model == model)
    return randomize(case.build()).eval()


@cache
def measured(model: str, sizes: tuple[tuple[str, int], ...]) -> dict[str, Any]:
    """PyTorch's counts for one model at one set of sizes."""
    module = prepared(model)
    case = next(case for case in CASES.values() if case.model == model)
    inputs = case.inputs(dict(sizes))

    def forward() -> None:
        with torch.no_grad():
            module(**inputs)

    def step() -> None:
        module(**inputs).sum().backward()
        module.zero_grad(set_to_none=True)

    forward_flops = count_flops(forward)
    backward = count_flops(step) - forward_flops
    row = {
        "sizes": dict(sizes),
        "forward_flops": forward_flops,
        "forward_macs": forward_flops // 2,
        "backward_macs": backward // 2,
        "backward_macs_flop_counter": (count_flops(step, corrected=False) - forward_flops) // 2,
        "saved_bytes_eval": saved_bytes(module, inputs),
    }
    module.train()
    row["saved_bytes_train"] = saved_bytes(module, inputs)
    module.eval()
    return row


def truth(case: Case) -> dict[str, Any]:
    """Parameter counts (distinct tensors, tied ones once) and the counts at every size of the case."""
    torch.backends.mha.set_fastpath_enabled(False)
    module = prepared(case.model)
    embeddings = {p for m in module.modules() if isinstance(m, nn.Embedding) for p in m.parameters(recurse=False)}
    return {
        "model": case.model,
        "torch": torch.__version__.partition("+")[0],
        "params": sum(p.numel() for p in module.parameters()),
        "params_in_embeddings": sum(p.numel() for p in embeddings),
        "buffers": sum(b.numel() for n, b in module.named_buffers() if "running_" in n),
        "counts": [measured(case.model, tuple(sizes.items())) for sizes in case.sizes],
    }


# The script


def make(name: str, directory: Path) -> str:
    """Export one case and write its sidecar; the sidecar alone is written for an export PyTorch cannot make."""
    case, path = CASES[name], directory / f"{name}.onnx"
    sidecar = path.with_suffix(".json")
    failure = ""
    if not path.exists() and not sidecar.exists():
        try:
            export(case, path)
        except Exception as error:
            traceback.print_exc()
            failure = f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200]}"
    if not sidecar.exists():
        record = {"export": histogram(path) if path.exists() else {"failed": failure}, **truth(case)}
        sidecar.write_text(json.dumps(record, indent=1) + "\n")
    return failure


def gather(directory: Path) -> dict[str, Any]:
    """All sidecars of a directory in one object, in the order of `CASES`."""
    sidecars = {name: directory / f"{name}.json" for name in CASES}
    return {name: json.loads(path.read_text()) for name, path in sidecars.items() if path.exists()}


def main() -> None:
    """Make the exports named on the command line, or all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", nargs="?", type=Path, default=ROOT / "build" / "exports")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CASES))
    parser.add_argument("--truth", type=Path, help="gather the sidecars into this file")
    arguments = parser.parse_args()
    arguments.directory.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or CASES:
        start = time.monotonic()
        failure = make(name, arguments.directory)
        print(f"{name:32} {failure or 'ok'} ({time.monotonic() - start:.0f} s)", flush=True)
    if arguments.truth:
        arguments.truth.write_text(json.dumps(gather(arguments.directory), indent=1) + "\n")


if __name__ == "__main__":
    main()
