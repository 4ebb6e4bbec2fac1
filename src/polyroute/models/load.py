"""A model of the study, loaded from where it lies and checked before anything is measured."""

import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from polyroute.models.contract import check_contract
from polyroute.models.folder import check_folder
from polyroute.models.quantised import check_known, method_of
from polyroute.models.routers import Router, find_routers
from polyroute.models.settings import Checkpoint
from polyroute.models.source import ModelError, ModelSource
from polyroute.models.taps import KernelError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoadedModel:
    """A model in evaluation mode with its tokenizer and its checked routers."""

    model: nn.Module
    tokenizer: Any
    routers: tuple[Router, ...]
    """Those of the layers that the entry asks for."""
    digest: str
    """Commit on the hub, or a digest of the folder's files."""


def load(name: str, spec: Checkpoint, source: ModelSource) -> LoadedModel:
    """Load a model and check that its routers can be measured.

    Args:
        name: its name in params.yaml.
        spec: its entry.
        source: from `locate`.

    Raises:
        ModelError: it cannot be loaded, or its shape or layers differ from the entry.
        RouterError: its routers break the contract.
    """
    # Here, not above: commands that need no model should not wait for transformers.
    from transformers.utils import logging as transformers_logging

    from polyroute.models.building import explained
    from polyroute.models.without_weights import load_config, load_tokenizer

    if not sys.stderr.isatty():
        transformers_logging.disable_progress_bar()
    options: dict[str, Any] = {
        "revision": source.revision,
        "trust_remote_code": spec.trust_remote_code,
        "local_files_only": source.local_files_only,
    }
    experts = {} if spec.experts == "auto" else {"experts_implementation": spec.experts}
    if Path(source.place).is_dir():
        check_folder(name, Path(source.place))
    config = load_config(name, spec, source)
    check_known(name, source, config)
    placement = _placement(spec.device, quantised=method_of(config) not in (None, "mxfp4"))
    device = placement.pop("device", None)
    tokenizer = load_tokenizer(name, spec, source)
    auto = language_model(name, config)
    try:
        model, report = auto.from_pretrained(
            source.place,
            dtype=getattr(torch, spec.dtype),
            use_safetensors=True,
            output_loading_info=True,
            # Shapes that do not fit are refused below, with the key that is wrong.
            ignore_mismatched_sizes=True,
            **_unpacked(config),
            **experts,
            **placement,
            **options,
        )
    # Whatever a configuration that fits no weights makes of transformers.
    except Exception as error:
        raise explained(name, source, "model", error, config) from error
    _check_complete(name, source, config, report)
    if device is not None:
        try:
            model.to(device)
        except (RuntimeError, AssertionError) as error:
            raise ModelError(f"models.{name}.device: {device} cannot be used here: {error}") from error
    model.eval()
    routers = _found(name, spec, model)
    _check_entry(name, spec, routers)
    check_contract(model, routers)
    if spec.layers is not None:
        first, last = spec.layers
        routers = tuple(router for router in routers if first <= router.layer <= last)
        if not routers:
            raise ModelError(f"models.{name}.layers: [{first}, {last}] holds no layer with a router")
    log.info(
        "%s: %d routers of %d experts, top %d, %s, on %s",
        name, len(routers), routers[0].experts, routers[0].top_k, routers[0].selection, next(model.parameters()).device,
    )  # fmt: skip
    return LoadedModel(model, tokenizer, routers, source.digest)


def _found(name: str, spec: Checkpoint, model: Any) -> tuple[Router, ...]:
    """The routers of a model; where nothing names its experts' kernel and that fails, they run without one.

    What runs is in the header of traces and answers (`experts`).

    Raises:
        RouterError: as `find_routers`.
    """
    try:
        return find_routers(model)
    except KernelError as error:
        if spec.experts != "auto" or not hasattr(model, "set_experts_implementation"):
            raise
        refused = error.__cause__
    log.warning(
        "%s: its experts' kernel %s does not take this model (%s): they run as with `experts: eager`",
        name, model.config._experts_implementation, " ".join(str(refused).split())[:200],
    )  # fmt: skip
    model.set_experts_implementation("eager")
    return find_routers(model)


def _unpacked(config: Any) -> dict[str, Any]:
    """MXFP4 experts (GPT-OSS) unpacked to the entry's dtype: its kernels, where installed, pass by the routers."""
    from transformers import Mxfp4Config

    return {"quantization_config": Mxfp4Config(dequantize=True)} if method_of(config) == "mxfp4" else {}


def language_model(name: str, config: Any) -> Any:
    """The class of transformers that loads a configuration: of text alone, else one that also sees or hears.

    Raises:
        ModelError: transformers has none that writes text.
    """
    from transformers import AutoModelForCausalLM, AutoModelForMultimodalLM
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_MULTIMODAL_LM_MAPPING

    own = getattr(config, "auto_map", None) or {}
    if type(config) in MODEL_FOR_CAUSAL_LM_MAPPING or "AutoModelForCausalLM" in own:
        return AutoModelForCausalLM
    if type(config) in MODEL_FOR_MULTIMODAL_LM_MAPPING:
        return AutoModelForMultimodalLM
    raise ModelError(
        f"models.{name}: its config.json is of a `{getattr(config, 'model_type', type(config).__name__)}`, which "
        "transformers has no language model for: name a checkpoint that writes text"
    )


def _check_complete(name: str, source: ModelSource, config: Any, report: dict[str, Any]) -> None:
    """transformers fills weights that a checkpoint lacks with random ones and goes on; we do not."""
    from polyroute.models.building import misfit

    for weight, stored, asked in sorted(report.get("mismatched_keys") or ()):
        raise misfit(name, source, config, weight, stored, asked)
    if keys := sorted(map(str, report.get("missing_keys") or ())):
        raise ModelError(
            f"models.{name}: {source.place} is not whole: {len(keys)} missing keys, such as {', '.join(keys[:3])}; "
            "measuring random weights instead would be measuring nothing: fetch it again, or copy config.json from "
            "the release if that asks for too much"
        )
    if keys := sorted(map(str, report.get("unexpected_keys") or ())):
        scales = [key for key in keys if key.rpartition(".")[2].endswith(_SCALES)]
        if scales:
            raise ModelError(
                f"models.{name}: {source.place} holds {len(scales)} scales of quantised weights that the model does "
                f"not take, such as {scales[0]}: config.json lacks its `quantization_config`; copy it from the release"
            )
        log.warning(
            "%s: %s holds %d weights that the model does not take, such as %s: does config.json belong to them?",
            name, source.place, len(keys), keys[0],
        )  # fmt: skip


_SCALES = ("scale_inv", "_scale", "_scales", "qweight", "qzeros", "absmax", "SCB", "quant_map", "weight_packed")
"""Ends of the names under which quantised releases keep what their weights are multiplied by."""


def _placement(device: str, *, quantised: bool = False) -> dict[str, Any]:
    """Where weights go: spread by accelerate over several GPUs, else onto one device without it.

    Weights that stay quantised cannot all be moved once they are loaded: they are loaded onto a GPU at once.
    """
    if device == "auto" and torch.cuda.device_count() > 1:
        return {"device_map": "auto"}
    one = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    return {"device_map": {"": one}} if quantised and one != "cpu" else {"device": one}


def _check_entry(name: str, spec: Checkpoint, routers: tuple[Router, ...]) -> None:
    layers = [router.layer for router in routers]
    if spec.shape is not None:
        seen = (len(routers), routers[0].experts, routers[0].top_k)
        said = (spec.shape.layers, spec.shape.experts, spec.shape.top_k)
        if seen != said:
            raise ModelError(
                f"models.{name}.shape says layers, experts, top_k = {said}; the model has {seen}: "
                "correct the entry, or check that this is the model you mean"
            )
    if spec.layers is not None and not (layers[0] <= spec.layers[0] <= spec.layers[1] <= layers[-1]):
        raise ModelError(
            f"models.{name}.layers: {list(spec.layers)} is outside the model, whose routers are in layers "
            f"{layers[0]} to {layers[-1]}"
        )
