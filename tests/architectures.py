"""Small configurations of every architecture on which the laws are held, and what is special there.

Sliding windows, clamps and caps are set so low that they act on the tests' short prompts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import transformers

VOCABULARY = 300
CONTEXT = 64


@dataclass(frozen=True)
class Sizes:
    """How large a small model is."""

    layers: int = 3
    heads: int = 4
    d_head: int = 8
    neurons: int = 48
    kv_heads: int = 2

    @property
    def width(self) -> int:
        """d_model."""
        return self.heads * self.d_head


@dataclass(frozen=True)
class Architecture:
    """One row of the table in docs/architectures.md.

    Args:
        title: the models that have it.
        special: what its blocks have that GPT-2's have not.
        config: the transformers configuration class, without `Config`.
        model: the transformers model class.
        options: from sizes to the configuration's arguments.
    """

    title: str
    special: str
    config: str
    model: str
    options: Callable[[Sizes], dict[str, Any]]

    def configuration(self, sizes: Sizes) -> Any:
        """The configuration of a small model."""
        kind = getattr(transformers, f"{self.config}Config")
        return kind(vocab_size=VOCABULARY, architectures=[self.model], **self.options(sizes))


def _gpt2(sizes: Sizes, **more: Any) -> dict[str, Any]:
    named = {"n_layer": sizes.layers, "n_head": sizes.heads, "n_embd": sizes.width}
    inner = {"n_inner": sizes.neurons, "n_positions": CONTEXT}
    return {**named, **inner, "bos_token_id": 0, "eos_token_id": 0, **more}


def _plain(sizes: Sizes, **more: Any) -> dict[str, Any]:
    return {
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "hidden_size": sizes.width,
        "intermediate_size": sizes.neurons,
        "max_position_embeddings": CONTEXT,
        **more,
    }


def _grouped(sizes: Sizes, **more: Any) -> dict[str, Any]:
    return _plain(sizes, num_key_value_heads=sizes.kv_heads, **more)


def _opt(sizes: Sizes, **more: Any) -> dict[str, Any]:
    named = _plain(sizes, ffn_dim=sizes.neurons, word_embed_proj_dim=sizes.width)
    del named["intermediate_size"]
    return {**named, **more}


def _falcon(sizes: Sizes, **more: Any) -> dict[str, Any]:
    named = _plain(sizes, ffn_hidden_size=sizes.neurons)
    del named["intermediate_size"]
    return {**named, **more}


def _sliding(sizes: Sizes, **more: Any) -> dict[str, Any]:
    kinds = [("sliding_attention", "full_attention")[i % 2] for i in range(sizes.layers)]
    return _grouped(sizes, head_dim=sizes.d_head, sliding_window=4, layer_types=kinds, **more)


ARCHITECTURES: dict[str, Architecture] = {
    "gpt2": Architecture("GPT-2", "the plain case", "GPT2", "GPT2LMHeadModel", _gpt2),
    "gpt_neo": Architecture(
        "GPT-Neo", "local attention in every second block", "GPTNeo", "GPTNeoForCausalLM",
        lambda s: {
            "num_layers": s.layers, "num_heads": s.heads, "hidden_size": s.width,
            "intermediate_size": s.neurons, "max_position_embeddings": CONTEXT, "window_size": 4,
            "attention_types": [[[("global", "local")[i % 2] for i in range(s.layers)], 1]],
        },
    ),
    "gpt_j": Architecture(
        "GPT-J", "parallel blocks behind one norm, rotary positions", "GPTJ", "GPTJForCausalLM",
        lambda s: _gpt2(s, rotary_dim=4),
    ),
    "gpt_neox": Architecture(
        "GPT-NeoX, Pythia", "parallel blocks behind two norms", "GPTNeoX", "GPTNeoXForCausalLM",
        _plain,
    ),
    "gpt_neox_sequential": Architecture(
        "GPT-NeoX, sequential", "rotary positions", "GPTNeoX", "GPTNeoXForCausalLM",
        lambda s: _plain(s, use_parallel_residual=False),
    ),
    "opt": Architecture("OPT", "learned positions, ReLU", "OPT", "OPTForCausalLM", _opt),
    "opt_350m": Architecture(
        "OPT-350m", "norms on the stream, projections in and out", "OPT", "OPTForCausalLM",
        lambda s: _opt(s, word_embed_proj_dim=s.width // 2, do_layer_norm_before=False),
    ),
    "bloom": Architecture(
        "BLOOM", "ALiBi, a norm behind the embedding", "Bloom", "BloomForCausalLM",
        lambda s: {"n_layer": s.layers, "n_head": s.heads, "hidden_size": s.width},
    ),
    "llama": Architecture(
        "Llama", "RMSNorm, gated MLP, grouped queries", "Llama", "LlamaForCausalLM", _grouped
    ),
    "llama_biases": Architecture(
        "Llama with biases", "biases in attention and MLP", "Llama", "LlamaForCausalLM",
        lambda s: _grouped(s, attention_bias=True, mlp_bias=True),
    ),
    "mistral": Architecture(
        "Mistral", "sliding window", "Mistral", "MistralForCausalLM",
        lambda s: _grouped(s, sliding_window=4),
    ),
    "qwen2": Architecture("Qwen2", "biases in q, k, v", "Qwen2", "Qwen2ForCausalLM", _grouped),
    "qwen3": Architecture(
        "Qwen3", "norms on queries and keys", "Qwen3", "Qwen3ForCausalLM",
        lambda s: _grouped(s, head_dim=s.d_head),
    ),
    "gemma": Architecture(
        "Gemma", "scaled embeddings, norm weights offset by one", "Gemma", "GemmaForCausalLM",
        lambda s: _grouped(s, head_dim=s.d_head),
    ),
    "gemma2": Architecture(
        "Gemma 2", "norms behind sublayers, capped logits", "Gemma2", "Gemma2ForCausalLM",
        lambda s: _sliding(s, query_pre_attn_scalar=8, final_logit_softcapping=2.0,
                           attn_logit_softcapping=1.0),
    ),
    "gemma3": Architecture(
        "Gemma 3", "norms behind sublayers, on queries and keys", "Gemma3Text",
        "Gemma3ForCausalLM", lambda s: _sliding(s, query_pre_attn_scalar=8),
    ),
    "phi": Architecture("Phi", "parallel blocks, a bias on the logits", "Phi", "PhiForCausalLM",
                        _plain),
    "phi3": Architecture(
        "Phi-3", "fused q, k, v; fused gate and up", "Phi3", "Phi3ForCausalLM",
        lambda s: _grouped(s, pad_token_id=0),
    ),
    "olmo": Architecture(
        "OLMo", "norms without weights", "Olmo", "OlmoForCausalLM", _grouped
    ),
    "olmo2": Architecture(
        "OLMo 2", "norms behind sublayers only", "Olmo2", "Olmo2ForCausalLM", _grouped
    ),
    "falcon": Architecture(
        "Falcon-7B", "parallel blocks, one value head", "Falcon", "FalconForCausalLM",
        lambda s: _falcon(s, bias=True),
    ),
    "falcon_40b": Architecture(
        "Falcon-40B", "parallel blocks behind two norms", "Falcon", "FalconForCausalLM",
        lambda s: _falcon(s, new_decoder_architecture=True, num_kv_heads=s.kv_heads),
    ),
    "falcon_rw": Architecture(
        "Falcon-RW", "ALiBi", "Falcon", "FalconForCausalLM",
        lambda s: _falcon(s, parallel_attn=False, alibi=True, multi_query=False, bias=True),
    ),
    "stablelm": Architecture(
        "StableLM", "LayerNorm with a gated MLP", "StableLm", "StableLmForCausalLM",
        lambda s: _grouped(s, qk_layernorm=True),
    ),
    "stablelm_parallel": Architecture(
        "StableLM 2 12B", "parallel blocks", "StableLm", "StableLmForCausalLM",
        lambda s: _grouped(s, use_parallel_residual=True, use_qkv_bias=True),
    ),
    "cohere": Architecture(
        "Cohere", "parallel blocks, scaled logits", "Cohere", "CohereForCausalLM",
        lambda s: _grouped(s, use_qk_norm=True, logit_scale=0.25),
    ),
    "cohere2": Architecture(
        "Cohere 2, Command R7B", "parallel blocks, some without positions", "Cohere2",
        "Cohere2ForCausalLM", lambda s: _sliding(s, logit_scale=0.25),
    ),
    "granite": Architecture(
        "Granite", "scaled embeddings, sublayers and logits", "Granite", "GraniteForCausalLM",
        lambda s: _grouped(s, embedding_multiplier=3.0, residual_multiplier=0.4,
                           logits_scaling=2.0, attention_multiplier=0.3, attention_bias=True,
                           mlp_bias=True),
    ),
    "gpt_bigcode": Architecture(
        "GPT-BigCode, SantaCoder", "one value head", "GPTBigCode", "GPTBigCodeForCausalLM", _gpt2
    ),
    "mixtral": Architecture(
        "Mixtral", "experts", "Mixtral", "MixtralForCausalLM",
        lambda s: _grouped(s, num_local_experts=4, num_experts_per_tok=2),
    ),
    "qwen3_moe": Architecture(
        "Qwen3-MoE", "experts in some blocks, others dense", "Qwen3Moe", "Qwen3MoeForCausalLM",
        lambda s: _grouped(s, head_dim=s.d_head, num_experts=6, num_experts_per_tok=2,
                           moe_intermediate_size=12, mlp_only_layers=[0], norm_topk_prob=True),
    ),
    "gpt_oss": Architecture(
        "GPT-OSS", "experts with biases and clamps, attention sinks", "GptOss",
        "GptOssForCausalLM",
        lambda s: _sliding(s, num_local_experts=4, num_experts_per_tok=2, swiglu_limit=0.5),
    ),
    "gpt1": Architecture(
        "GPT (2018)", "norms on the stream", "OpenAIGPT", "OpenAIGPTLMHeadModel",
        lambda s: {"n_layer": s.layers, "n_head": s.heads, "n_embd": s.width,
                   "n_positions": CONTEXT},
    ),
    "codegen": Architecture(
        "CodeGen", "parallel blocks behind one norm", "CodeGen", "CodeGenForCausalLM",
        lambda s: {"n_layer": s.layers, "n_head": s.heads, "n_embd": s.width,
                   "n_inner": s.neurons, "n_positions": CONTEXT, "rotary_dim": 4},
    ),
    "mpt": Architecture(
        "MPT", "ALiBi, no biases", "Mpt", "MptForCausalLM",
        lambda s: {"n_layers": s.layers, "n_heads": s.heads, "d_model": s.width,
                   "max_seq_len": CONTEXT},
    ),
    "starcoder2": Architecture(
        "StarCoder2", "LayerNorm with grouped queries", "Starcoder2", "Starcoder2ForCausalLM",
        _grouped,
    ),
    "nemotron": Architecture(
        "Nemotron", "squared ReLU, norm weights offset by one", "Nemotron", "NemotronForCausalLM",
        _grouped,
    ),
    "arcee": Architecture("Arcee", "squared ReLU", "Arcee", "ArceeForCausalLM", _grouped),
    "apertus": Architecture(
        "Apertus", "xIELU, norms on queries and keys", "Apertus", "ApertusForCausalLM", _grouped
    ),
    "exaone4": Architecture(
        "EXAONE 4", "norms behind sublayers only", "Exaone4", "Exaone4ForCausalLM", _grouped
    ),
    "glm": Architecture(
        "GLM", "fused gate and up", "Glm", "GlmForCausalLM",
        lambda s: _grouped(s, head_dim=s.d_head, pad_token_id=0),
    ),
    "glm4": Architecture(
        "GLM-4", "norms before and behind sublayers", "Glm4", "Glm4ForCausalLM",
        lambda s: _grouped(s, head_dim=s.d_head, pad_token_id=0),
    ),
    "smollm3": Architecture(
        "SmolLM3", "some blocks without positions", "SmolLM3", "SmolLM3ForCausalLM",
        lambda s: _grouped(s, pad_token_id=0),
    ),
    "seed_oss": Architecture(
        "Seed-OSS", "biases in q, k, v", "SeedOss", "SeedOssForCausalLM",
        lambda s: _grouped(s, head_dim=s.d_head),
    ),
    "olmo3": Architecture(
        "OLMo 3", "norms behind sublayers only, sliding window", "Olmo3", "Olmo3ForCausalLM",
        lambda s: _grouped(s, sliding_window=4),
    ),
    "ernie": Architecture(
        "ERNIE 4.5", "Llama's blocks", "Ernie4_5", "Ernie4_5ForCausalLM",
        lambda s: _grouped(s, head_dim=s.d_head),
    ),
    "ministral3": Architecture(
        "Ministral 3", "scaled queries", "Ministral3", "Ministral3ForCausalLM",
        lambda s: _grouped(s, head_dim=s.d_head),
    ),
    "hunyuan": Architecture(
        "HunYuan dense", "norms on queries and keys", "HunYuanDenseV1",
        "HunYuanDenseV1ForCausalLM", lambda s: _grouped(s, head_dim=s.d_head),
    ),
    "olmoe": Architecture(
        "OLMoE", "experts, norms on queries and keys", "Olmoe", "OlmoeForCausalLM",
        lambda s: _grouped(s, num_experts=4, num_experts_per_tok=2),
    ),
    "flex_olmo": Architecture(
        "FlexOlmo", "experts, norms behind sublayers only", "FlexOlmo", "FlexOlmoForCausalLM",
        lambda s: _grouped(s, num_experts=4, num_experts_per_tok=2, pad_token_id=0,
                           eos_token_id=0),
    ),
    "granite_moe": Architecture(
        "Granite MoE", "experts, scaled sublayers", "GraniteMoe", "GraniteMoeForCausalLM",
        lambda s: _grouped(s, num_local_experts=4, num_experts_per_tok=2,
                           residual_multiplier=0.4, logits_scaling=2.0),
    ),
    "vault_gemma": Architecture(
        "VaultGemma", "capped logits", "VaultGemma", "VaultGemmaForCausalLM",
        lambda s: _sliding(s, query_pre_attn_scalar=8, final_logit_softcapping=2.0),
    ),
}  # fmt: skip


UNCOVERED: dict[str, Architecture] = {
    "llama4": Architecture(
        "Llama 4", "a shared expert, and a router of its own kind", "Llama4Text",
        "Llama4ForCausalLM",
        lambda s: _grouped(s, head_dim=s.d_head, num_local_experts=4, num_experts_per_tok=1,
                           intermediate_size_mlp=s.neurons, pad_token_id=0),
    ),
    "deepseek_v3": Architecture(
        "DeepSeek-V3", "latent attention, shared experts", "DeepseekV3", "DeepseekV3ForCausalLM",
        lambda s: _plain(s, num_key_value_heads=s.heads, q_lora_rank=8, kv_lora_rank=8,
                         qk_rope_head_dim=4, qk_nope_head_dim=4, v_head_dim=8, n_group=1,
                         n_routed_experts=4, num_experts_per_tok=2, topk_group=1,
                         first_k_dense_replace=1, moe_intermediate_size=12),
    ),
    "qwen2_moe": Architecture(
        "Qwen2-MoE", "a shared expert", "Qwen2Moe", "Qwen2MoeForCausalLM",
        lambda s: _grouped(s, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=12,
                           shared_expert_intermediate_size=20),
    ),
    "xglm": Architecture(
        "XGLM", "positions that are computed and added without a hook", "XGLM", "XGLMForCausalLM",
        lambda s: {"num_layers": s.layers, "attention_heads": s.heads, "d_model": s.width,
                   "ffn_dim": s.neurons, "max_position_embeddings": CONTEXT},
    ),
    "mamba": Architecture(
        "Mamba", "no attention", "Mamba", "MambaForCausalLM",
        lambda s: {"hidden_size": s.width, "num_hidden_layers": s.layers, "state_size": 4},
    ),
}  # fmt: skip
"""Architectures that break a law, and say so."""
