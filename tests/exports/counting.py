"""What PyTorch itself says about a model: parameters, matrix FLOPs it executes, bytes autograd keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import lru_cache
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from torch_case import Case, Inputs, Sizes, randomize


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


def count_flops(run: Callable[[], object], *, onednn: bool = True) -> tuple[int, int]:
    """Matrix FLOPs PyTorch executes in `run`, and those FlopCounterMode reports as it is.

    Scaled-dot-product attention counts by its definition, recurrent layers step by step: oneDNN's are one operation
    the counter does not know.
    """
    with ExitStack() as stack:
        if not onednn:
            stack.enter_context(torch.backends.mkldnn.flags(enabled=False))
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        plain = stack.enter_context(FlopCounterMode(display=False))
        mapping = {torch.ops.aten.convolution_backward: convolution_backward}
        counter = stack.enter_context(FlopCounterMode(display=False, custom_mapping=mapping))
        run()
    return int(counter.get_total_flops()), int(plain.get_total_flops())


def tensors_of(output: Any) -> Iterator[Tensor]:
    """The floating-point tensors in nested outputs."""
    if isinstance(output, Tensor):
        if output.is_floating_point():
            yield output
    elif isinstance(output, dict):
        yield from tensors_of(list(output.values()))
    elif isinstance(output, list | tuple):
        for part in output:
            yield from tensors_of(part)


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


def saved_bytes_train(model: nn.Module, inputs: Inputs) -> dict[str, int] | None:
    """`saved_bytes` in training mode; None where one example is too few for a BatchNorm of single values."""
    model.train()
    try:
        return saved_bytes(model, inputs)
    except ValueError:
        return None
    finally:
        model.eval()


@lru_cache(maxsize=1)
def prepared(case: Case) -> nn.Module:
    """The randomised model in evaluation mode."""
    torch.backends.mha.set_fastpath_enabled(False)
    return randomize(case.build()).eval()


def multiply_accumulates(case: Case, sizes: Sizes) -> dict[str, Any]:
    """What a forward and a backward pass multiply at one set of sizes."""
    module, inputs = prepared(case), case.inputs(sizes)

    def forward() -> None:
        with torch.no_grad():
            module(**inputs)

    def step() -> None:
        torch.stack([tensor.sum() for tensor in tensors_of(module(**inputs))]).sum().backward()
        module.zero_grad(set_to_none=True)

    onednn = not any(isinstance(layer, nn.RNNBase) for layer in module.modules())
    forward_flops, _ = count_flops(forward, onednn=onednn)
    both, both_plain = count_flops(step, onednn=onednn)
    row: dict[str, Any] = {
        "sizes": dict(sizes),
        "forward_flops": forward_flops,
        "forward_macs": forward_flops // 2,
        "backward_macs": (both - forward_flops) // 2,
        "backward_macs_flop_counter": (both_plain - forward_flops) // 2,
    }
    if case.macs:
        row["by_hand"] = dict(zip(("forward_macs", "backward_macs"), case.macs(sizes), strict=True))
    if case.altered_at:
        row["altered"] = dict(case.altered_at(sizes))
    return row


def measured(case: Case, sizes: Sizes) -> dict[str, Any]:
    """PyTorch's counts for one model at one set of sizes."""
    module, inputs = prepared(case), case.inputs(sizes)
    return multiply_accumulates(case, sizes) | {
        "saved_bytes_eval": saved_bytes(module, inputs),
        "saved_bytes_train": saved_bytes_train(module, inputs),
    }


def unused(case: Case) -> list[nn.Parameter]:
    """Parameters the outputs in evaluation mode do not depend on: auxiliary heads, for instance."""
    module = prepared(case)
    module.zero_grad(set_to_none=True)
    torch.stack([tensor.sum() for tensor in tensors_of(module(**case.inputs(case.example)))]).sum().backward()
    found = [p for p in module.parameters() if p.grad is None and p.requires_grad]
    module.zero_grad(set_to_none=True)
    return found


def operations(outputs: list[Tensor]) -> list[Any]:
    """The autograd nodes behind outputs, in the order they ran."""
    found: dict[Any, None] = {}
    queue = [tensor.grad_fn for tensor in outputs]
    while queue:
        node = queue.pop()
        if node is not None and node not in found:
            found[node] = None
            queue += [before for before, _ in node.next_functions]
    return sorted(found, key=lambda node: node._sequence_nr())


def batch_norms(case: Case) -> dict[str, int]:
    """Channels of the BatchNorms that run, of those alone behind a convolution, and behind one with a bias.

    An exporter can fold the second kind into the convolution: two trainable vectors become its bias.
    """
    module, channels = prepared(case), Counter({"all": 0, "after_convolution": 0, "after_biased_convolution": 0})
    convolutions: dict[int, tuple[Tensor, bool]] = {}  # by identity of the output, which is kept alive
    behind: list[tuple[Any, int, bool]] = []

    def hook(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(layer, nn.modules.conv._ConvNd):
            convolutions[id(output)] = (output, layer.bias is not None)
        elif isinstance(layer, nn.modules.batchnorm._BatchNorm):
            channels["all"] += layer.num_features
            if id(inputs[0]) in convolutions:
                behind.append((inputs[0].grad_fn, layer.num_features, convolutions[id(inputs[0])][1]))

    handles = [layer.register_forward_hook(hook) for layer in module.modules()]
    outputs = list(tensors_of(module(**case.inputs(case.example))))
    for handle in handles:
        handle.remove()
    readers = Counter(before for node in operations(outputs) for before, _ in node.next_functions)
    for convolution, width, biased in behind:
        if readers[convolution] == 1:
            channels["after_convolution"] += width
            channels["after_biased_convolution"] += biased * width
    return dict(channels)


def truth(case: Case) -> dict[str, Any]:
    """Parameter counts (distinct tensors, tied ones once) and the counts at every size of the case."""
    module = prepared(case)
    embeddings = {p for m in module.modules() if isinstance(m, nn.Embedding) for p in m.parameters(recurse=False)}
    record: dict[str, Any] = {
        "model": case.model,
        "torch": torch.__version__.partition("+")[0],
        "params": sum(p.numel() for p in module.parameters()),
        "params_frozen": sum(p.numel() for p in module.parameters() if not p.requires_grad),
        "params_unused": sum(p.numel() for p in unused(case)),
        "params_in_embeddings": sum(p.numel() for p in embeddings),
        "buffers": sum(b.numel() for n, b in module.named_buffers() if "running_" in n),
        "batch_norm_channels": batch_norms(case),
        "counts": [measured(case, sizes) for sizes in case.sizes],
    }
    if case.altered:
        record["altered"] = dict(case.altered)
    if case.published:
        record["published"] = case.published()
    if case.note:
        record["note"] = case.note
    return record
