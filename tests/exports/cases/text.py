"""Language models of the transformers library: full-size GPT-2 and BERT, the other architectures small.

The small ones keep their real classes and every kind of layer; only widths, depths and vocabularies are small, so that
their files are. Attention is written out ("eager"), so that the matrix products stand in the graph.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from cases.transformer import Decode, Pixels, TextAndPixels, Tokens, Translation, transformer
from torch_case import TORCHSCRIPT, Case, Inputs, Sizes, import_torchvision

VOCABULARY = 1000


def table(names: str, *rows: tuple[int, ...]) -> tuple[Sizes, ...]:
    """Sizes by name, one set per row."""
    return tuple(dict(zip(names.split(), row, strict=True)) for row in rows)


SEQUENCES = table("batch seq", (1, 16), (2, 64), (3, 100))
OTHERS = table("batch seq", (1, 33), (2, 8), (5, 77))
DECODES = table("batch seq past", (1, 1, 16), (2, 4, 50), (3, 1, 99))
OTHER_DECODES = table("batch seq past", (1, 1, 33), (2, 5, 8), (4, 2, 60))
PAIRS = table("batch seq target", (1, 16, 5), (2, 64, 30), (3, 50, 1))
OTHER_PAIRS = table("batch seq target", (1, 33, 9), (2, 8, 40), (4, 20, 3))


def gpt2(**settings: Any) -> nn.Module:
    """GPT-2 124M with its language-model head."""
    return Tokens(transformer("GPT2", "LMHeadModel", use_cache=False, **settings))


def gpt2_gelu() -> nn.Module:
    """The same with Gelu as one operation of PyTorch, not written out."""
    return gpt2(activation_function="gelu_pytorch_tanh")


def bert() -> nn.Module:
    """BERT-base without a pooler: the output is the last hidden state."""
    return Tokens(transformer("Bert", add_pooling_layer=False))


# Small configurations

ENCODER = {
    "vocab_size": VOCABULARY, "hidden_size": 96, "num_hidden_layers": 2, "num_attention_heads": 6,
    "intermediate_size": 320, "max_position_embeddings": 160,
}  # fmt: skip
DECODER = ENCODER | {"num_key_value_heads": 2, "use_cache": False}
CACHED = DECODER | {"use_cache": True}
DISTILBERT = {
    "vocab_size": VOCABULARY, "dim": 96, "n_layers": 2, "n_heads": 6, "hidden_dim": 320, "max_position_embeddings": 160,
}  # fmt: skip
GPT2 = {"vocab_size": VOCABULARY, "n_positions": 160, "n_embd": 96, "n_layer": 2, "n_head": 6}
T5 = {
    "vocab_size": VOCABULARY, "d_model": 96, "d_kv": 24, "d_ff": 320, "num_layers": 2, "num_heads": 6,
    "use_cache": False,
}  # fmt: skip
MOE = DECODER | {"num_local_experts": 4, "num_experts_per_tok": 2, "experts_implementation": "batched_mm"}
CLIP_TEXT = {**ENCODER, "hidden_size": 72, "max_position_embeddings": 77, "eos_token_id": VOCABULARY - 1}
CLIP_VISION = {
    "hidden_size": 96, "intermediate_size": 320, "num_hidden_layers": 2, "num_attention_heads": 6, "image_size": 64,
    "patch_size": 16,
}  # fmt: skip


SDPA = {"attn_implementation": "sdpa"}
OPSET23 = {"opset_version": 23}
TIED = (VOCABULARY * 96, "TorchScript stores the tied head once more, transposed")


def tokens(sizes: Sizes, vocabulary: int = 30000) -> Inputs:
    """Token numbers."""
    return {"input_ids": torch.randint(0, vocabulary, (sizes["batch"], sizes["seq"]))}


def masked_tokens(sizes: Sizes, vocabulary: int = 30000) -> Inputs:
    """Token numbers and a mask that hides the end of each sequence but the first."""
    mask = torch.ones(sizes["batch"], sizes["seq"], dtype=torch.int64)
    mask[1:, -2:] = 0
    return tokens(sizes, vocabulary) | {"attention_mask": mask}


def small_tokens(sizes: Sizes) -> Inputs:
    """Token numbers of the small vocabulary."""
    return tokens(sizes, VOCABULARY)


def small_masked_tokens(sizes: Sizes) -> Inputs:
    """Token numbers of the small vocabulary and their mask."""
    return masked_tokens(sizes, VOCABULARY)


def two_sequences(sizes: Sizes) -> Inputs:
    """A masked sequence to read and one to write."""
    target = torch.randint(0, VOCABULARY, (sizes["batch"], sizes["target"]))
    return small_masked_tokens(sizes) | {"decoder_input_ids": target}


def pixels(sizes: Sizes) -> Inputs:
    """Images for the small CLIP."""
    return {"pixel_values": torch.randn(sizes["batch"], 3, 64, 64)}


def text_and_pixels(sizes: Sizes) -> Inputs:
    """Texts and images, as many of each as there are."""
    return small_masked_tokens(sizes) | {"pixel_values": torch.randn(sizes["images"], 3, 64, 64)}


def decode_inputs(heads: int) -> Any:
    """New tokens, the mask over past and new ones, keys and values of the past ones in two layers."""

    def inputs(sizes: Sizes) -> Inputs:
        batch, past = sizes["batch"], sizes["past"]
        mask = torch.ones(batch, past + sizes["seq"], dtype=torch.int64)
        names = ("key_0", "value_0", "key_1", "value_1")
        return (
            small_tokens(sizes)
            | {"attention_mask": mask}
            | {name: torch.randn(batch, heads, past, 96 // 6) for name in names}
        )

    return inputs


def text_case(model: str, symbols: str = "batch seq", **options: Any) -> Case:
    """A full-size language model with dynamic batch and sequence, or at one sequence of full length."""
    build, inputs, names = {
        "gpt2": (gpt2, tokens, ("input_ids",)),
        "gpt2_gelu": (gpt2_gelu, tokens, ("input_ids",)),
        "bert_base": (bert, masked_tokens, ("input_ids", "attention_mask")),
    }[model]
    if not symbols:
        full = {"batch": 1, "seq": 1024}
        return Case(model, build, inputs, full, {}, (full,), options)
    axes = {name: dict(enumerate(symbols.split())) for name in names}
    return Case(model, build, inputs, {"batch": 2, "seq": 17}, axes, SEQUENCES, options)


def small(
    model: str,
    *built: str,
    masked: bool = True,
    outputs: int = 1,
    options: Any = None,
    stored: tuple[int, str] = (0, ""),
    frozen: Any = None,
    **settings: Any,
) -> Case:
    """A small language model with dynamic batch and sequence; `stored` is a difference in parameters, and why."""
    names = ("input_ids", "attention_mask") if masked else ("input_ids",)
    options = dict(options or {})
    return Case(
        model,
        lambda: Tokens(transformer(*built, **settings), outputs),
        small_masked_tokens if masked else small_tokens,
        {"batch": 2, "seq": 17},
        {name: {0: "batch", 1: "seq"} for name in names},
        SEQUENCES,
        options,
        () if options else OTHERS,
        altered={"params": stored[0]} if stored[0] else {},
        frozen=frozen,
        note=stored[1],
    )


def decode(model: str, *built: str, heads: int, **settings: Any) -> Case:
    """A step of generation with keys and values of earlier tokens as inputs."""
    axes = {0: "batch", 2: "past"}
    return Case(
        model,
        lambda: Decode(transformer(*built, **settings)),
        decode_inputs(heads),
        {"batch": 2, "seq": 3, "past": 11},
        {
            "input_ids": {0: "batch", 1: "seq"},
            "attention_mask": {0: "batch", 1: "past+seq"},
            **dict.fromkeys(("key_0", "value_0", "key_1", "value_1"), axes),
        },
        DECODES,
        static=OTHER_DECODES,
    )


def translation(model: str, *built: str, frozen: Any = None, **settings: Any) -> Case:
    """An encoder and a decoder with a dynamic length each."""
    axes = {0: "batch", 1: "seq"}
    return Case(
        model,
        lambda: Translation(transformer(*built, **settings)),
        two_sequences,
        {"batch": 2, "seq": 17, "target": 6},
        {"input_ids": axes, "attention_mask": axes, "decoder_input_ids": {0: "batch", 1: "target"}},
        PAIRS,
        static=OTHER_PAIRS,
        frozen=frozen,
    )


def t5_encoder_frozen(sizes: Sizes) -> int:
    """Six heads' biases of every pair of positions in place of their 32 distances."""
    return 6 * (sizes["seq"] ** 2 - 32)


def t5_frozen(sizes: Sizes) -> int:
    """The same in the decoder, and zeros of that kind between decoder and encoder."""
    seq, target = sizes["seq"], sizes["target"]
    return t5_encoder_frozen(sizes) + 6 * (target**2 - 32 + seq * target)


def clip_frozen(sizes: Sizes) -> int:
    """Of 77 positions those that are used, and one class token per image."""
    return (sizes["seq"] - 77) * 72 + (sizes["images"] - 1) * 96


def clip() -> nn.Module:
    """CLIP's two towers and the similarity of every text with every image."""
    import_torchvision()
    from transformers import CLIPConfig, CLIPModel

    config = CLIPConfig(
        text_config=CLIP_TEXT, vision_config=CLIP_VISION, projection_dim=48, attn_implementation="eager"
    )
    return TextAndPixels(CLIPModel(config), 2)


CASES: dict[str, Case] = {
    "gpt2": text_case("gpt2"),
    "bert_base": text_case("bert_base"),
    "gpt2_gelu": text_case("gpt2_gelu"),
    "gpt2_1x1024": text_case("gpt2", ""),
    "bert_base_torchscript": text_case("bert_base", **TORCHSCRIPT),
    "gpt2_torchscript": text_case("gpt2", **TORCHSCRIPT),
    "bert_pooler_small": small("bert_pooler_small", "Bert", outputs=2, **ENCODER),
    "distilbert_small": small("distilbert_small", "DistilBert", **DISTILBERT),
    "roberta_small": small("roberta_small", "Roberta", "ForMaskedLM", **ENCODER),
    "t5_encoder_small": small("t5_encoder_small", "T5", "EncoderModel", frozen=t5_encoder_frozen, **T5),
    "t5_small": translation("t5_small", "T5", "ForConditionalGeneration", frozen=t5_frozen, **T5),
    "bart_small": translation(
        "bart_small", "Bart", vocab_size=VOCABULARY, d_model=96, encoder_layers=2, decoder_layers=2,
        encoder_attention_heads=6, decoder_attention_heads=6, encoder_ffn_dim=320, decoder_ffn_dim=192,
        max_position_embeddings=160, use_cache=False,
    ),
    "gpt2_small": small("gpt2_small", "GPT2", "LMHeadModel", masked=False, use_cache=False, **GPT2),
    "llama_small": small("llama_small", "Llama", "ForCausalLM", tie_word_embeddings=True, **DECODER),
    "qwen2_small": small("qwen2_small", "Qwen2", "ForCausalLM", tie_word_embeddings=False, **DECODER),
    "qwen3_small": small("qwen3_small", "Qwen3", "ForCausalLM", head_dim=24, **DECODER),
    "mistral_small": small("mistral_small", "Mistral", "ForCausalLM", sliding_window=32, **DECODER),
    "gemma2_small": small("gemma2_small", "Gemma2", "ForCausalLM", head_dim=24, sliding_window=32, **DECODER),
    "gpt_neox_small": small("gpt_neox_small", "GPTNeoX", "ForCausalLM", use_cache=False, **ENCODER),
    "phi_small": small("phi_small", "Phi", "ForCausalLM", **DECODER),
    "mixtral_small": small("mixtral_small", "Mixtral", "ForCausalLM", **MOE),
    "gpt2_decode_small": decode("gpt2_decode_small", "GPT2", "LMHeadModel", heads=6, **GPT2),
    "llama_decode_small": decode("llama_decode_small", "Llama", "ForCausalLM", heads=2, **CACHED),
    # as they come: attention as one operation of PyTorch, and from operator set 23 on as one of ONNX
    "bert_sdpa_small": small("bert_sdpa_small", "Bert", add_pooling_layer=False, **SDPA, **ENCODER),
    "gpt2_sdpa_small": small(
        "gpt2_sdpa_small", "GPT2", "LMHeadModel", masked=False, use_cache=False, **SDPA, **GPT2
    ),
    "llama_sdpa_small": small("llama_sdpa_small", "Llama", "ForCausalLM", tie_word_embeddings=True, **SDPA, **DECODER),
    "bert_opset23_small": small("bert_sdpa_small", "Bert", add_pooling_layer=False, options=OPSET23, **SDPA, **ENCODER),
    "gpt2_opset23_small": small(
        "gpt2_sdpa_small", "GPT2", "LMHeadModel", masked=False, options=OPSET23, use_cache=False, **SDPA, **GPT2
    ),
    "llama_opset23_small": small(
        "llama_sdpa_small", "Llama", "ForCausalLM", tie_word_embeddings=True, options=OPSET23, **SDPA, **DECODER
    ),
    "clip_vision_small": Case(
        "clip_vision_small",
        lambda: Pixels(transformer("CLIPVision", "ModelWithProjection", **CLIP_VISION, projection_dim=48)),
        pixels,
        {"batch": 2},
        {"pixel_values": {0: "batch"}},
        ({"batch": 1}, {"batch": 2}, {"batch": 3}),
    ),
    "clip_small": Case(
        "clip_small",
        clip,
        text_and_pixels,
        {"batch": 3, "seq": 17, "images": 2},
        {
            "input_ids": {0: "batch", 1: "seq"},
            "attention_mask": {0: "batch", 1: "seq"},
            "pixel_values": {0: "images"},
        },
        table("batch seq images", (1, 16, 2), (2, 64, 1), (3, 77, 4)),
        static=table("batch seq images", (1, 33, 2), (4, 9, 3)),
        altered={"params": -1},
        frozen=clip_frozen,
        note="the scale of the similarities stands in the file as its exponential",
    ),
    "bert_pooler_small_torchscript": small("bert_pooler_small", "Bert", outputs=2, options=TORCHSCRIPT, **ENCODER),
    "distilbert_small_torchscript": small("distilbert_small", "DistilBert", options=TORCHSCRIPT, **DISTILBERT),
    "t5_encoder_small_torchscript": small("t5_encoder_small", "T5", "EncoderModel", options=TORCHSCRIPT, **T5),
    "llama_small_torchscript": small(
        "llama_small", "Llama", "ForCausalLM", tie_word_embeddings=True, options=TORCHSCRIPT, stored=TIED, **DECODER
    ),
}  # fmt: skip
