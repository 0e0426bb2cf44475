"""Where a network looks: Grad-CAM and Grad-CAM++.

Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based localization", 2017 (arXiv
1610.02391), equations 1 and 2; Chattopadhay et al., "Grad-CAM++: improved visual explanations for deep convolutional
networks", 2018 (arXiv 1710.11063), equations 7 and 19.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32, Int
from torch import Tensor, nn

from glauke.errors import DataError, UnknownNameError, UsageError

from ._layers import as_input, choose_layer, hooked, in_eval_mode, layers_for, logits_of

METHODS = ("grad-cam", "grad-cam++")
FLAT = 1e-6  # of the highest value; less difference than that within a map is rounding


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CamMaps:
    """One map for each picture: how much each place spoke for the class that was asked about."""

    maps: Float32[np.ndarray, "batch height width"]
    """At the size of the pictures, from 0 where the map is lowest to 1 where it is highest; all 0 where it is flat."""
    layer: str
    map_size: tuple[int, int]
    """Height and width in pixels before enlarging: what the map can really tell apart."""
    note: str | None
    """Why this layer, where a person should know."""


def grad_cam(
    model: nn.Module,
    images: Float[Tensor, "batch channels height width"],
    classes: Int[Tensor, " batch"] | Int[np.ndarray, " batch"] | Sequence[int],
    *,
    layer: str | None = None,
    method: str = "grad-cam",
    batch_size: int = 64,
) -> CamMaps:
    """For each picture, the places that raise the logit of the class given for it: the predicted one, or the true one.

    The maps of `layer` are weighted by how much the logit grows with each, added, cut off below zero and enlarged. A
    map shows what the layer's answer depends on, to first order; it does not prove a cause. Each is scaled by itself,
    so maps of two pictures do not compare in strength.

    `layer` is a name out of `layers`; without one it is the last that gives maps, or one stage before it where those
    are too coarse, which `note` then says. The network works in evaluation mode and is left as it was: modes,
    gradients, hooks and what is frozen.

    Raises:
        UnknownNameError: an unknown method or layer.
        UsageError: classes that do not fit, a layer without maps or without effect on the logits.
        DataError: maps that are not finite.

    >>> net = nn.Sequential(nn.Identity(), nn.AdaptiveAvgPool2d(1), nn.Flatten())  # a channel's mean is its logit
    >>> picture = torch.tensor([[[[0.0, 1.0], [2.0, 4.0]], [[9.0, 0.0], [0.0, 0.0]]]])
    >>> grad_cam(net, picture, [0], layer="0").maps[0].tolist()
    [[0.0, 0.25], [0.5, 1.0]]
    """
    if method not in METHODS:
        raise UnknownNameError(method, kind="method", known=METHODS)
    if batch_size < 1:
        raise UsageError(f"the batch size must be at least 1, not {batch_size}")
    wanted = torch.as_tensor(classes, dtype=torch.int64)
    if len(images) == 0 or len(wanted) != len(images):
        raise UsageError(f"{len(images)} pictures and {len(wanted)} classes: each picture needs one")
    with torch.inference_mode(False), in_eval_mode(model):
        chosen, note = choose_layer(layers_for(model, images.shape[1:]), layer, model)
        maps = [
            _maps(model, images[rows], wanted[rows], layer=chosen.name, method=method)
            for start in range(0, len(images), batch_size)
            for rows in [slice(start, start + batch_size)]
        ]
    return CamMaps(maps=torch.cat(maps).numpy(), layer=chosen.name, map_size=chosen.map_size, note=note)


def _maps(
    model: nn.Module, images: Tensor, classes: Tensor, *, layer: str, method: str
) -> Float[Tensor, "batch height width"]:
    images = as_input(images.detach(), model).clone()  # what was made in inference mode can have no gradient
    classes = classes.to(images.device).clone()
    activations, gradients = _activations_and_gradients(model, images, classes, layer=layer)
    with torch.no_grad():
        weighted = weighted_maps(activations, gradients, method=method)
        if not weighted.isfinite().all():
            raise DataError(f"the maps of the layer {layer!r} are not finite")
        enlarged = F.interpolate(weighted[:, None], size=images.shape[-2:], mode="bilinear", align_corners=False)
        return _from_0_to_1(enlarged[:, 0]).float().cpu()


def _activations_and_gradients(
    model: nn.Module, images: Tensor, classes: Int[Tensor, " batch"], *, layer: str
) -> tuple[Float[Tensor, "batch maps h w"], Float[Tensor, "batch maps h w"]]:
    """What the layer gives, and how the logit of each picture's class grows with it."""
    kept: list[Tensor] = []

    def keep(_: str, __: nn.Module, output: object) -> Tensor:
        assert isinstance(output, Tensor)  # the layer was chosen among those that give maps
        kept[:] = [output.detach().requires_grad_()]  # of a module that runs twice, the last
        # The network goes on with a copy: an in-place ReLU behind the layer would otherwise change what was kept.
        return kept[0].clone()

    with torch.enable_grad(), hooked({layer: model.get_submodule(layer)}, keep):
        logits = logits_of(model, images)
        lowest, highest = int(classes.min()), int(classes.max())
        if lowest < 0 or highest >= logits.shape[1]:
            raise UsageError(
                f"the classes go from {lowest} to {highest}, but the network has 0 to {logits.shape[1] - 1}"
            )
        # A picture's logit depends on its own maps alone, so that the gradient of the sum holds that of each.
        picked = logits.gather(1, classes[:, None]).sum()
        (gradients,) = torch.autograd.grad(picked, kept[0], allow_unused=True) if picked.requires_grad else (None,)
    if gradients is None:
        raise UsageError(
            f"the logits do not depend on the layer {layer!r}", place="--layer", fix="choose one that leads to them"
        )
    return kept[0].detach(), gradients


def weighted_maps(
    activations: Float[Tensor, "batch maps h w"], gradients: Float[Tensor, "batch maps h w"], *, method: str
) -> Float[Tensor, "batch h w"]:
    """The maps' weighted sum, cut off below zero.

    Grad-CAM weights a map by the mean of its gradient. Grad-CAM++ takes the positive part of the gradient at each
    place and weights it by alpha = g² / (2 g² + g³ Σ A), which is 1 / (2 + g Σ A) wherever g > 0; the factor
    exp(logit) of its equation 7 is the same for all maps of a picture and goes with the scale.
    """
    if method == "grad-cam":
        weights = gradients.mean(dim=(2, 3))
    else:
        below = 2 + gradients * activations.sum(dim=(2, 3), keepdim=True)
        alphas = torch.where(below == 0, 0, 1 / below)
        weights = (alphas * gradients.relu()).sum(dim=(2, 3))
    return torch.einsum("bk,bkhw->bhw", weights, activations).relu()


def _from_0_to_1(maps: Float[Tensor, "batch h w"]) -> Float[Tensor, "batch h w"]:
    low, high = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)
    flat = high - low <= FLAT * high
    return torch.where(flat, 0, (maps - low) / torch.where(flat, 1, high - low))
