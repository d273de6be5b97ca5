"""Speech models of the transformers library in small configurations: spectrograms or raw samples."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from cases.transformer import Outputs, transformer
from torch_case import TORCHSCRIPT, Case, Inputs, Sizes

WHISPER = {
    "vocab_size": 1000, "num_mel_bins": 80, "d_model": 96, "encoder_layers": 2, "encoder_attention_heads": 6,
    "encoder_ffn_dim": 320, "decoder_layers": 2, "decoder_attention_heads": 6, "decoder_ffn_dim": 320,
    "max_source_positions": 1500, "max_target_positions": 160, "use_cache": False,
    "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1,
}  # fmt: skip
WAV2VEC2 = {
    "vocab_size": 32, "hidden_size": 96, "num_hidden_layers": 2, "num_attention_heads": 6, "intermediate_size": 320,
    "conv_dim": (64,) * 7, "num_conv_pos_embeddings": 32, "num_conv_pos_embedding_groups": 8,
}  # fmt: skip
SAMPLES = ({"batch": 1, "samples": 16000}, {"batch": 2, "samples": 8000}, {"batch": 1, "samples": 23457})
OTHER_SAMPLES = ({"batch": 1, "samples": 12000}, {"batch": 3, "samples": 4001}, {"batch": 2, "samples": 20480})
BATCHES = ({"batch": 1}, {"batch": 2}, {"batch": 3})


class Spectrogram(Outputs):
    """From log-mel frames, batch x mels x frames."""

    def forward(self, input_features: Tensor) -> Any:
        return self.run(input_features=input_features)


class Captions(Outputs):
    """From log-mel frames and the tokens written so far."""

    def forward(self, input_features: Tensor, decoder_input_ids: Tensor) -> Any:
        return self.run(input_features=input_features, decoder_input_ids=decoder_input_ids)


class Waveform(Outputs):
    """From raw samples, batch x samples."""

    def forward(self, input_values: Tensor) -> Any:
        return self.run(input_values=input_values)


def frames(sizes: Sizes) -> Inputs:
    """Thirty seconds of log-mel frames."""
    return {"input_features": torch.randn(sizes["batch"], 80, 3000)}


def frames_and_tokens(sizes: Sizes) -> Inputs:
    """Thirty seconds of log-mel frames and tokens."""
    return frames(sizes) | {"decoder_input_ids": torch.randint(0, 1000, (sizes["batch"], sizes["seq"]))}


def samples(sizes: Sizes) -> Inputs:
    """Raw samples."""
    return {"input_values": torch.randn(sizes["batch"], sizes["samples"])}


def whisper_encoder() -> Any:
    """Whisper's encoder alone."""
    return Spectrogram(transformer("Whisper", "Model", **WHISPER).encoder)


def waveform(model: str, *built: str, options: Any = None, changes: Any = None, **settings: Any) -> Case:
    """A speech recogniser with a dynamic batch and number of samples."""
    options = dict(options or {})
    return Case(
        model,
        lambda: Waveform(transformer(*built, **settings)),
        samples,
        {"batch": 2, "samples": 10000},
        {"input_values": {0: "batch", 1: "samples"}},
        SAMPLES,
        options,
        () if options else OTHER_SAMPLES,
        **(changes or {}),
    )


def frames_of(samples: int) -> int:
    """Positions behind wav2vec 2.0's seven convolutions."""
    for kernel, stride in ((10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2)):
        samples = (samples - kernel) // stride + 1
    return samples


def table_gradient(sizes: Sizes) -> dict[str, int]:
    """Two layers project the 2T-1 relative positions; as a weight of the file their table gets a gradient."""
    return {"backward_macs": 2 * (2 * frames_of(sizes["samples"]) - 1) * 96 * 96}


CONFORMER = {
    "altered": {"params": 9999 * 96},
    "altered_at": table_gradient,
    "note": "the fixed table of relative positions stands in the file like a weight",
}


CASES: dict[str, Case] = {
    "whisper_encoder_small": Case(
        "whisper_encoder_small", whisper_encoder, frames, {"batch": 2}, {"input_features": {0: "batch"}}, BATCHES
    ),
    "whisper_small": Case(
        "whisper_small",
        lambda: Captions(transformer("Whisper", "ForConditionalGeneration", **WHISPER)),
        frames_and_tokens,
        {"batch": 2, "seq": 5},
        {"input_features": {0: "batch"}, "decoder_input_ids": {0: "batch", 1: "seq"}},
        ({"batch": 1, "seq": 4}, {"batch": 2, "seq": 17}),
        static=({"batch": 1, "seq": 33}, {"batch": 2, "seq": 1}, {"batch": 3, "seq": 8}),
    ),
    "wav2vec2_small": waveform("wav2vec2_small", "Wav2Vec2", "ForCTC", **WAV2VEC2),
    "wav2vec2_conformer_small": waveform(
        "wav2vec2_conformer_small", "Wav2Vec2Conformer", "ForCTC", position_embeddings_type="relative",
        changes=CONFORMER, **WAV2VEC2,
    ),
    "wav2vec2_small_torchscript": waveform("wav2vec2_small", "Wav2Vec2", "ForCTC", options=TORCHSCRIPT, **WAV2VEC2),
    "whisper_encoder_small_torchscript": Case(
        "whisper_encoder_small", whisper_encoder, frames, {"batch": 2}, {"input_features": {0: "batch"}}, BATCHES,
        TORCHSCRIPT,
    ),
}  # fmt: skip
