"""Dictionaries of others: folders as SAELens writes them, cfg.json and sae_weights.safetensors.

    W_enc [d_in, d_sae]   b_enc [d_sae]   W_dec [d_sae, d_in]   b_dec [d_in]   threshold [d_sae]

Both forms of cfg.json are read: that of SAELens before version 6, and the one since, which keeps
the place in the model under `metadata`. What this reader does not know how to do exactly (gated
autoencoders, activations that were scaled by a mean that the file does not say, parts of single
heads) is refused by name. Source of the format: SAELens's own documentation and published folders.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from flowviz.checked import shown
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.errors import RequestError
from flowviz.factors.dictionary.encoders import Autoencoder
from flowviz.factors.dictionary.loaded import LoadedDictionary
from flowviz.factors.dictionary.tensors import Shape
from flowviz.factors.kinds import Method
from flowviz.factors.types import About

METHODS = {
    "standard": Method.RELU,
    "jumprelu": Method.JUMPRELU,
    "topk": Method.TOPK,
    "batchtopk": Method.JUMPRELU,  # once learned, its threshold decides
}
PARTS = ("W_enc", "b_enc", "W_dec", "b_dec", "threshold", "log_threshold")
GATED = ("b_gate", "b_mag", "r_mag", "W_gate")
SCALED = ("scaling_factor", "W_skip")
SHORTEST = 1e-6  # of a decoder's rows: what is shorter has no direction
PLACES = {
    "hook_resid_pre": SiteKind.RESID_PRE,
    "hook_resid_mid": SiteKind.RESID_MID,
    "hook_attn_out": SiteKind.ATTN_OUT,
    "hook_mlp_out": SiteKind.MLP_OUT,
}


def read_published(
    name: str, said: Mapping[str, Any], tensors: Mapping[str, Tensor], layers: int | None = None
) -> LoadedDictionary:
    """A dictionary from what the two files hold.

    Args:
        name: how it is called in messages.
        said: cfg.json; tensors: the weights.
        layers: of the model, so that what is behind its last block is known as such.

    Raises:
        RequestError: it is of a kind that cannot be read exactly, or its parts do not fit.
    """
    method = _method(name, said)
    _check_scaling(name, said)
    check_parts(name, said, {each: tuple(tensor.shape) for each, tensor in tensors.items()})
    weights, bias, decoder, centre = (tensors[each].float() for each in PARTS[:4])
    lengths = decoder.norm(dim=1)
    if not (lengths > SHORTEST).all():
        raise RequestError(f"{name} has a decoder row of length 0, which is no direction.")
    subtracts = _flag(name, said, "apply_b_dec_to_input", default=True)  # as SAELens has it
    subtracted = centre if subtracts else torch.zeros_like(centre)
    by_length = _flag(name, said, "rescale_acts_by_decoder_norm")
    if by_length and method is not Method.TOPK:
        raise RequestError(
            f"{name} holds its activations times the lengths of its decoder's rows against "
            "thresholds, which is not read here. Fold the lengths into its weights first (SAELens: "
            "fold_W_dec_norm)."
        )
    encoder = Autoencoder(
        method, weights, bias, lengths, subtracted,
        threshold=_threshold(name, method, tensors, len(bias)),
        k=_k(name, said) if method is Method.TOPK else None,
        by_length=by_length,
    )  # fmt: skip
    about = About(
        name, _said(said, "model_name"), "", method, (site_of(name, said, layers),),
        len(bias), len(centre), corpus=_said(said, "dataset_path"), notes=_notes(said),
    )  # fmt: skip
    return LoadedDictionary(about, encoder, decoder / lengths[:, None], centre)


def _said(said: Mapping[str, Any], key: str) -> str:
    inner = said.get("metadata")
    value = inner.get(key) if isinstance(inner, dict) else None
    return str(value if value is not None else said.get(key) or "")[:200]


def _flag(name: str, said: Mapping[str, Any], key: str, default: bool = False) -> bool:
    value = said.get(key)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise RequestError(f"{name} says {key}: {shown(value)}; that is true or false.")
    return value


def _method(name: str, said: Mapping[str, Any]) -> Method:
    architecture = str(said.get("architecture") or "standard").lower()
    function = str(said.get("activation_fn_str") or said.get("activation_fn") or "relu").lower()
    if architecture == "standard" and function == "topk":
        architecture = "topk"
    known = function in ("relu", "topk" if architecture == "topk" else "jumprelu")
    if architecture in METHODS and (known or architecture != "standard"):
        return METHODS[architecture]
    raise RequestError(
        f"{name} is an autoencoder of the architecture {architecture[:40]!r} with the activation "
        f"{function[:40]!r}, which cannot be read here; {', '.join(METHODS)} can."
    )


def _check_scaling(name: str, said: Mapping[str, Any]) -> None:
    how = str(said.get("normalize_activations") or "none")
    shape = str(said.get("reshape_activations") or "none")
    if _flag(name, said, "finetuning_scaling_factor"):
        how = "finetuning_scaling_factor"
    if how not in ("none", "False") or shape != "none":
        raise RequestError(
            f"{name} was learned on activations that were scaled or reshaped "
            f"({how[:40]!r}, {shape[:40]!r}) by numbers that its files do not hold. Fold the scale "
            "into its weights first (SAELens: fold_activation_norm_scaling_factor)."
        )


def check_parts(name: str, said: Mapping[str, Any], shapes: Mapping[str, Shape]) -> None:
    """Raises RequestError where weights of such shapes are no autoencoder that is read here."""
    gated = [each for each in GATED if each in shapes]
    if gated:
        raise RequestError(f"{name} is gated (it has {gated[0]}), which cannot be read here.")
    missing = [each for each in PARTS[:4] if each not in shapes]
    if missing:
        raise RequestError(f"{name} has no {', '.join(missing)}: it is no such autoencoder.")
    more = [each for each in SCALED if each in shapes]
    if more:
        raise RequestError(
            f"{name} has {more[0]}, which its reconstructions need and which is not read here."
        )
    weights, bias, decoder, centre = (shapes[each] for each in PARTS[:4])
    fits = (
        len(weights) == 2 and min(weights) > 0 and bias == weights[1:]
        and decoder == weights[::-1] and centre == weights[:1]
    )  # fmt: skip
    if not fits:
        raise RequestError(
            f"{name} has weights of shapes {weights}, {bias}, {decoder}, {centre}, which do not "
            "fit."
        )
    for key, size in zip(("d_in", "d_sae"), weights, strict=True):
        if said.get(key) not in (None, size):
            raise RequestError(f"{name} says {key}: {shown(said[key])}; its weights have {size:,}.")


def _threshold(
    name: str, method: Method, tensors: Mapping[str, Tensor], factors: int
) -> Tensor | None:
    if method is not Method.JUMPRELU:
        return None
    found = tensors.get("threshold")
    if found is None and "log_threshold" in tensors:
        found = tensors["log_threshold"].float().exp()
    if found is None or found.shape != (factors,) or not torch.isfinite(found).all():
        raise RequestError(f"{name} is said to have a threshold for each factor, and has none.")
    return found.float()


def _k(name: str, said: Mapping[str, Any]) -> int:
    options = said.get("activation_fn_kwargs")
    k = said.get("k") or (options.get("k") if isinstance(options, dict) else None)
    if not isinstance(k, int) or isinstance(k, bool) or not 0 < k < 10**6:
        raise RequestError(f"{name} keeps the k largest, and does not say k.")
    return k


def site_of(name: str, said: Mapping[str, Any], layers: int | None) -> Site:
    """Where in the model it was learned. Raises RequestError for a place that is no site here."""
    hook = _said(said, "hook_name") or _said(said, "hook_point")
    out = _said(said, "hook_name_out")
    if out not in ("", "None", hook):
        raise RequestError(
            f"{name} reads at {hook[:60]!r} and writes at {out[:60]!r}: it is a transcoder. "
            "Autoencoders of one place are read."
        )
    found = re.fullmatch(r"blocks\.(\d{1,4})\.(hook_\w{1,20})", hook)
    if found and found[2] in PLACES and _said(said, "hook_head_index") in ("", "None"):
        return Site(PLACES[found[2]], int(found[1]))
    if found and found[2] == "hook_resid_post":
        behind = int(found[1]) + 1
        return Site(SiteKind.RESID_FINAL) if behind == layers else Site(SiteKind.RESID_PRE, behind)
    raise RequestError(
        f"{name} was learned at {hook[:60]!r}, which is no place that is read here. Those are "
        f"blocks.N.hook_resid_pre, …_mid, …_post, hook_attn_out and hook_mlp_out."
    )


def _notes(said: Mapping[str, Any]) -> tuple[str, ...]:
    """Where the model's weights were changed before it was learned, the vectors are others."""
    inner = said.get("metadata")
    options = (inner if isinstance(inner, dict) else said).get("model_from_pretrained_kwargs")
    plain = isinstance(options, dict) and options.get("center_writing_weights") is False
    if plain or _said(said, "model_class_name") == "AutoModelForCausalLM":
        return ()
    return (
        "It may have been learned on a model whose writing weights were centred (TransformerLens's "
        "default): such vectors have a mean of zero, and those of this model need not.",
    )
