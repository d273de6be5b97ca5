"""Models of the transformers library as plain functions from tensors to tensors, as exporters want them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from torch_case import import_torchvision


class Outputs(nn.Module):
    """A transformers model as a plain function from its tensors to its first outputs."""

    def __init__(self, model: nn.Module, count: int = 1) -> None:
        super().__init__()
        self.model, self.count = model, count

    def run(self, **inputs: Any) -> Any:
        outputs = self.model(return_dict=False, **inputs)
        return outputs[0] if self.count == 1 else tuple(outputs[: self.count])


class Tokens(Outputs):
    """From token numbers, and perhaps a mask."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Any:
        return self.run(input_ids=input_ids, attention_mask=attention_mask)


class Translation(Outputs):
    """From two sequences: the one that is read and the one that is written."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor, decoder_input_ids: Tensor) -> Any:
        return self.run(input_ids=input_ids, attention_mask=attention_mask, decoder_input_ids=decoder_input_ids)


class Pixels(Outputs):
    """From images."""

    def forward(self, pixel_values: Tensor) -> Any:
        return self.run(pixel_values=pixel_values)


class TextAndPixels(Outputs):
    """From a batch of texts and a batch of images."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor, pixel_values: Tensor) -> Any:
        return self.run(input_ids=input_ids, attention_mask=attention_mask, pixel_values=pixel_values)


class Decode(Outputs):
    """From a few tokens and the keys and values of two layers, to logits and the longer keys and values."""

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, key_0: Tensor, value_0: Tensor, key_1: Tensor, value_1: Tensor
    ) -> Any:
        from transformers import DynamicCache

        cache = DynamicCache([(key_0, value_0), (key_1, value_1)])
        positions = torch.arange(key_0.shape[2], key_0.shape[2] + input_ids.shape[1]).unsqueeze(0)
        logits = self.model(
            input_ids=input_ids, attention_mask=attention_mask, past_key_values=cache, position_ids=positions
        ).logits
        return logits, *(tensor for layer in cache.layers for tensor in (layer.keys, layer.values))


def transformer(architecture: str, kind: str = "Model", **settings: Any) -> nn.Module:
    """A transformers model from its configuration, such as `transformer("Bert", hidden_size=96)`."""
    import_torchvision()  # transformers imports it
    import transformers

    extra = {name: settings.pop(name) for name in ("add_pooling_layer",) if name in settings}
    settings.setdefault("attn_implementation", "eager")
    config = getattr(transformers, f"{architecture}Config")(**settings)
    model: nn.Module = getattr(transformers, f"{architecture}{kind}")(config, **extra)
    return model
