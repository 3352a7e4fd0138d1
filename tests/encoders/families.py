"""Families of models that read both ways, as small configurations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import transformers
from transformers import T5GemmaConfig
from transformers.models.t5gemma.configuration_t5gemma import T5GemmaModuleConfig

VOCABULARY = 60
PAD, BOS, EOS = 0, 2, 3  # of tests/encoders/models.py


@dataclass(frozen=True)
class Family:
    """A family of transformers, small.

    Args:
        config: the class of its configuration.
        model: the class of its models.
        models: what it is known by.
        sizes: what makes it small, by the family's own names.
        whole: whether queries, keys and values can be seen; else the pattern alone.
        both: whether it has an encoder and a decoder.
        make: makes the configuration, where that takes more than sizes.
    """

    config: str
    model: str
    models: str
    sizes: dict[str, Any] = field(default_factory=dict)
    whole: bool = True
    both: bool = False
    make: Callable[[], Any] | None = None

    def configuration(self) -> Any:
        """The configuration of a small model."""
        if self.make is not None:
            config = self.make()
        else:
            ids = {"pad_token_id": PAD, "bos_token_id": BOS, "eos_token_id": EOS}
            start = {"decoder_start_token_id": PAD} if self.both else {}
            config = getattr(transformers, self.config)(
                **{"vocab_size": VOCABULARY, **ids, **start, **self.sizes}
            )
        config.architectures = [self.model]
        return config


def _encoder(name: str, models: str, sizes: dict[str, Any], **more: Any) -> Family:
    return Family(f"{name}Config", f"{name}ForMaskedLM", models, sizes, **more)


def _both(name: str, models: str, sizes: dict[str, Any], **more: Any) -> Family:
    config, model = f"{name}Config", f"{name}ForConditionalGeneration"
    return Family(config, model, models, sizes, both=True, **more)


def _t5gemma() -> Any:
    sizes: dict[str, Any] = {
        "vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 48,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
        "head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window": 4,
        "attn_logit_softcapping": 1.0,
    }  # fmt: skip
    halves = [T5GemmaModuleConfig(**sizes) for _ in range(2)]
    ids = {"pad_token_id": PAD, "bos_token_id": BOS, "eos_token_id": EOS}
    config = T5GemmaConfig(encoder=halves[0], decoder=halves[1], vocab_size=VOCABULARY, **ids)
    config.decoder_start_token_id = BOS  # as its own rule for what a decoder reads has it
    return config


def _two_berts() -> Any:
    halves = [transformers.BertConfig(vocab_size=VOCABULARY, **BERT) for _ in range(2)]
    config = transformers.EncoderDecoderConfig.from_encoder_decoder_configs(*halves)
    config.pad_token_id, config.eos_token_id, config.decoder_start_token_id = PAD, EOS, PAD
    return config


BERT: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48,
    "max_position_embeddings": 64,
}  # fmt: skip
ROBERTA = {**BERT, "max_position_embeddings": 66, "pad_token_id": 1, "type_vocab_size": 1}
ENTANGLED = {**BERT, "relative_attention": True, "pos_att_type": ["c2p", "p2c"]}
SMALL = {"emb_dim": 32, "n_layers": 2, "n_heads": 4, "max_position_embeddings": 64}
BART: dict[str, Any] = {
    "d_model": 32, "encoder_layers": 3, "decoder_layers": 2, "encoder_attention_heads": 4,
    "decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48,
    "max_position_embeddings": 64, "forced_eos_token_id": None,
}  # fmt: skip
T5: dict[str, Any] = {
    "d_model": 32, "d_kv": 6, "d_ff": 48, "num_layers": 3, "num_decoder_layers": 2, "num_heads": 4,
    "relative_attention_num_buckets": 8,
}  # fmt: skip

FAMILIES: dict[str, Family] = {
    "bert": _encoder("Bert", "BERT", BERT),
    "distilbert": _encoder(
        "DistilBert", "DistilBERT",
        {"dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 48, "max_position_embeddings": 64},
    ),
    "roberta": _encoder("Roberta", "RoBERTa", ROBERTA),
    "xlm_roberta": _encoder("XLMRoberta", "XLM-R", ROBERTA),
    "xlm_roberta_xl": _encoder("XLMRobertaXL", "XLM-R XL", ROBERTA),
    "camembert": _encoder("Camembert", "CamemBERT", ROBERTA),
    "roberta_prelayernorm": _encoder("RobertaPreLayerNorm", "RoBERTa-PreLayerNorm", ROBERTA),
    "data2vec": _encoder("Data2VecText", "data2vec", ROBERTA),
    "xmod": _encoder(
        "Xmod", "X-MOD", {**ROBERTA, "languages": ["en_XX"], "default_language": "en_XX"}
    ),
    "electra": _encoder("Electra", "ELECTRA (generators)", {**BERT, "embedding_size": 16}),
    "albert": _encoder("Albert", "ALBERT", {**BERT, "embedding_size": 16}),
    "modernbert": _encoder(
        "ModernBert", "ModernBERT",
        {**BERT, "cls_token_id": BOS, "sep_token_id": EOS, "local_attention": 6,
         "global_attn_every_n_layers": 2},
    ),
    "esm": _encoder(
        "Esm", "ESM-2", {**BERT, "position_embedding_type": "rotary", "mask_token_id": 4}
    ),
    "ernie": _encoder("Ernie", "ERNIE", BERT),
    "eurobert": _encoder("EuroBert", "EuroBERT", {**BERT, "num_key_value_heads": 2}),
    "nomic_bert": _encoder("NomicBert", "Nomic BERT", BERT),
    "jina_embeddings_v3": _encoder("JinaEmbeddingsV3", "Jina embeddings v3", ROBERTA),
    "gte": _encoder("Gte", "GTE", BERT),
    "mobilebert": _encoder(
        "MobileBert", "MobileBERT",
        {**BERT, "embedding_size": 32, "intra_bottleneck_size": 16, "true_hidden_size": 16,
         "num_feedforward_networks": 2},
    ),
    "mpnet": _encoder("MPNet", "MPNet", ROBERTA, whole=False),
    "deberta": _encoder("Deberta", "DeBERTa", ENTANGLED, whole=False),
    "deberta_v2": _encoder(
        "DebertaV2", "DeBERTa v2 and v3",
        {**ENTANGLED, "position_buckets": 8, "norm_rel_ebd": "layer_norm", "share_att_key": True},
        whole=False,
    ),
    "rembert": _encoder(
        "RemBert", "RemBERT",
        {**BERT, "input_embedding_size": 16, "output_embedding_size": 24}, whole=False,
    ),
    "roformer": _encoder("RoFormer", "RoFormer", BERT, whole=False),
    "megatron_bert": _encoder("MegatronBert", "Megatron-BERT", BERT, whole=False),
    "squeezebert": _encoder(
        "SqueezeBert", "SqueezeBERT", {**BERT, "embedding_size": 32}, whole=False
    ),
    "luke": _encoder(
        "Luke", "LUKE", {**ROBERTA, "entity_vocab_size": 10, "entity_emb_size": 8}, whole=False
    ),
    "xlm": Family(
        "XLMConfig", "XLMWithLMHeadModel", "XLM",
        {**SMALL, "n_langs": 1, "use_lang_emb": False}, whole=False,
    ),
    "flaubert": Family("FlaubertConfig", "FlaubertWithLMHeadModel", "FlauBERT", SMALL, whole=False),
    "t5": _both("T5", "T5", T5),
    "t5_gated": _both(
        "T5", "T5 1.1, Flan-T5",
        {**T5, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
    ),
    "mt5": _both("MT5", "mT5", T5),
    "umt5": _both("UMT5", "UMT5", T5),
    "switch_transformers": _both(
        "SwitchTransformers", "Switch Transformers",
        {**T5, "num_experts": 2, "num_sparse_encoder_layers": 1, "num_sparse_decoder_layers": 1},
    ),
    "t5gemma": _both("T5Gemma", "T5Gemma", {}, make=_t5gemma),
    "bart": _both("Bart", "BART", BART),
    "mbart": _both("MBart", "mBART", BART),
    "plbart": _both("PLBart", "PLBART", BART),
    "marian": Family("MarianConfig", "MarianMTModel", "Marian, OPUS-MT", BART, both=True),
    "pegasus": _both("Pegasus", "Pegasus", BART),
    "m2m_100": _both("M2M100", "M2M-100, NLLB", BART),
    "nllb_moe": _both("NllbMoe", "NLLB-MoE", {**BART, "num_experts": 2, "expert_capacity": 64}),
    "blenderbot": _both("Blenderbot", "Blenderbot", BART),
    "blenderbot_small": _both("BlenderbotSmall", "Blenderbot small", BART),
    "bert2bert": Family(
        "EncoderDecoderConfig", "EncoderDecoderModel", "two of the encoders above, as one",
        both=True, make=_two_berts,
    ),
    "bigbird_pegasus": _both(
        "BigBirdPegasus", "BigBird-Pegasus", {**BART, "attention_type": "original_full"},
        whole=False,
    ),
    "mvp": _both("Mvp", "MVP", BART, whole=False),
}  # fmt: skip

REFUSED: dict[str, Family] = {
    "longformer": _encoder("Longformer", "Longformer", {**ROBERTA, "attention_window": 4}),
    "funnel": _encoder(
        "Funnel", "Funnel",
        {"d_model": 32, "n_head": 4, "d_head": 8, "d_inner": 48, "block_sizes": [1, 1]},
    ),
    "fnet": _encoder("FNet", "FNet", {**BERT}),
    "longt5": _both("LongT5", "LongT5", {**T5, "local_radius": 4}),
    "led": _both(
        "LED", "LED",
        {**BART, "attention_window": 4, "max_encoder_position_embeddings": 64,
         "max_decoder_position_embeddings": 64},
    ),
    "pegasus_x": _both("PegasusX", "Pegasus-X", {**BART, "num_global_tokens": 4, "block_size": 4}),
}  # fmt: skip
"""Families whose attention is no pattern of every token with every other."""
