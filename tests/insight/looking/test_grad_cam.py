"""Maps worked by hand, against the papers' formulas and against Captum; and that the network is left as it was."""

import contextlib

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from glauke.errors import DataError, UnknownNameError, UsageError
from glauke.insight import grad_cam
from glauke.insight.looking._grad_cam import weighted_maps
from glauke.models import resnet18

METHODS = ["grad-cam", "grad-cam++"]
MAPS = torch.tensor([[[[1.0, 0.0], [0.0, 3.0]], [[0.0, 2.0], [1.0, 0.0]]]])
SLOPES = torch.tensor(
    [[[[1.0, 1.0], [1.0, 1.0]], [[-2.0, 0.0], [0.0, -2.0]]], [[[1.0, -1.0], [1.0, -1.0]], [[2.0, 0.0], [0.0, 0.0]]]]
)


def linear(slopes=SLOPES):
    """Logits that are linear in two maps of 2x2 pixels: their gradients are the weights."""
    model = nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(8, len(slopes), bias=False))
    model[2].weight.data = slopes.flatten(1).clone()
    return model


def small(inplace=False, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=inplace),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3, padding=1),
        nn.ReLU(inplace=inplace),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(24, 5),
    ).eval()


def pictures(count=3, size=12, seed=1):
    return torch.randn(count, 1, size, size, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("method", "label", "expected"),
    [
        # The mean slopes are 1 and -1: A0 - A1, cut off below zero.
        ("grad-cam", 0, [[1 / 3, 0], [0, 1]]),
        # 0 and 0.5: half of A1.
        ("grad-cam", 1, [[0, 1], [0.5, 0]]),
        # Four places with 1 / (2 + 4), none of the second map: 2/3 A0.
        ("grad-cam++", 0, [[1 / 3, 0], [0, 1]]),
        # 2 / (2 + 4) and 2 / (2 + 2 * 3): A0 / 3 + A1 / 4 = 1/3, 1/2, 1/4, 1, which is stretched to 0..1.
        ("grad-cam++", 1, [[1 / 9, 1 / 3], [0, 1]]),
    ],
)
def test_by_hand(method, label, expected):
    found = grad_cam(linear(), MAPS, [label], layer="0", method=method)

    assert found.maps[0] == pytest.approx(torch.tensor(expected).numpy(), abs=1e-6)
    assert (found.layer, found.map_size, found.note) == ("0", (2, 2), None)


def test_grad_cam_plus_plus_is_its_equation_19():
    """With the derivatives of exp(logit) by each place taken by autograd, one after the other."""
    torch.manual_seed(0)
    maps, slopes = torch.rand(12).double(), torch.randn(12).double() / 3  # three maps of 2x2
    by_order = torch.zeros(3, 12).double()
    for place in range(12):
        alone = maps[place].clone().requires_grad_()  # the derivatives of a place hold the others still
        value = torch.exp(torch.cat([maps[:place], alone[None], maps[place + 1 :]]) @ slopes)
        for order in range(3):
            (value,) = torch.autograd.grad(value, alone, create_graph=True)
            by_order[order, place] = value.detach()
    first, second, third = by_order
    sums = maps.view(3, 4).sum(1).repeat_interleave(4)
    weights = (second / (2 * second + sums * third) * first.relu()).view(3, 4).sum(1)
    expected = (weights @ maps.view(3, 4)).relu().view(2, 2)

    found = weighted_maps(maps.view(1, 3, 2, 2), slopes.view(1, 3, 2, 2), method="grad-cam++")[0]
    assert torch.allclose(found / found.max(), expected / expected.max(), atol=1e-9)


@pytest.mark.parametrize("layer", ["0", "1", "2", "3", "4", "5"])
@pytest.mark.parametrize("inplace", [False, True])
def test_as_captum_says(layer, inplace):
    from captum.attr import LayerGradCam

    images, classes = pictures(4), torch.tensor([0, 4, 2, 2])
    plain = small()
    oracle = LayerGradCam(plain, plain[int(layer)]).attribute(images, target=classes, relu_attributions=True)
    expected = F.interpolate(oracle, size=12, mode="bilinear", align_corners=False)[:, 0].detach()
    low, high = expected.amin(dim=(1, 2), keepdim=True), expected.amax(dim=(1, 2), keepdim=True)
    assert (high > 0).all()

    # An in-place ReLU behind the layer must not change what is kept of it.
    found = grad_cam(small(inplace), images, classes, layer=layer)
    assert found.maps == pytest.approx(((expected - low) / (high - low)).numpy(), abs=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_is_its_pictures_one_by_one(method):
    images, classes = pictures(5), torch.tensor([0, 1, 2, 3, 4])
    whole = grad_cam(small(), images, classes, layer="5", method=method).maps
    chunks = grad_cam(small(), images, classes, layer="5", method=method, batch_size=2).maps
    single = [grad_cam(small(), images[[i]], classes[[i]], layer="5", method=method).maps[0] for i in range(5)]

    assert chunks == pytest.approx(whole, abs=1e-5)
    for one, of_whole in zip(single, whole, strict=True):
        assert one == pytest.approx(of_whole, abs=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_maps_span_0_to_1_at_the_size_of_the_pictures(method):
    maps = grad_cam(small(), pictures(6), [0, 1, 2, 3, 4, 0], layer="3", method=method).maps

    assert maps.shape == (6, 12, 12) and maps.dtype == "float32"
    lively = maps.max(axis=(1, 2)) > 0
    assert lively.any()
    assert (maps.min(axis=(1, 2)) == 0).all() and (maps[lively].max(axis=(1, 2)) == 1).all()


def test_classes_differ():
    found = [grad_cam(small(), pictures(1), [label], layer="5").maps for label in (0, 1)]

    assert abs(found[0] - found[1]).max() > 0.1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0.0, 3.0, -3.0, 1e-30])
def test_a_flat_map_is_all_zeros(method, value):
    found = grad_cam(linear(torch.ones(1, 2, 2, 2)), torch.full((1, 2, 2, 2), value), [0], layer="0", method=method)

    assert found.maps.tolist() == [[[0, 0], [0, 0]]]


def test_a_flat_map_stays_flat_when_it_is_enlarged():
    model = nn.Sequential(nn.AvgPool2d(3), nn.Flatten(), nn.Linear(9, 2, bias=False))
    model[2].weight.data.fill_(1 / 3)

    assert grad_cam(model, torch.full((1, 1, 9, 9), 0.7), [1], layer="0").maps.max() == 0


def test_without_a_name_the_layer_is_chosen_and_said():
    found = grad_cam(resnet18(3, 1, "full").eval(), pictures(1, size=16), [0])

    assert (found.layer, found.map_size) == ("layer3", (4, 4))
    assert found.note is not None and "2×2" in found.note


def test_a_rectangle():
    images = torch.randn(1, 1, 8, 14, generator=torch.Generator().manual_seed(0))

    assert grad_cam(small(), images, [0], layer="4").maps.shape == (1, 8, 14)


def test_the_network_is_left_as_it_was():
    model = small(inplace=True).train()
    model[1].eval()
    model[4].weight.requires_grad_(False)
    held = model[0].weight.grad = torch.ones_like(model[0].weight)
    modes = [module.training for module in model.modules()]
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    grad_cam(model, pictures(), [0, 1, 2])

    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert model[0].weight.grad is held and torch.equal(held, torch.ones_like(held))
    assert model[4].weight.grad is None and not model[4].weight.requires_grad and model[0].weight.requires_grad
    assert not any(module._forward_hooks or module._backward_hooks for module in model.modules())


def test_a_network_in_training_is_asked_in_evaluation_mode():
    images = pictures()

    assert grad_cam(small().train(), images, [0, 1, 2]).maps == pytest.approx(grad_cam(small(), images, [0, 1, 2]).maps)


@pytest.mark.parametrize("state", ["frozen", "made in inference mode", "asked in inference mode", "without gradients"])
def test_whatever_the_weights_were_made_for(state):
    images = pictures()
    expected = grad_cam(small(), images, [0, 1, 2], layer="2").maps
    around = contextlib.nullcontext()
    if state == "made in inference mode":
        with torch.inference_mode():
            model, images = small(), pictures()
        assert model[4].weight.is_inference() and images.is_inference()
    else:
        model = small().requires_grad_(state != "frozen")
    if state == "asked in inference mode":
        around = torch.inference_mode()
    elif state == "without gradients":
        around = torch.no_grad()
    with around:
        found = grad_cam(model, images, [0, 1, 2], layer="2").maps

    assert found == pytest.approx(expected, abs=1e-6)


def test_pictures_that_ask_for_gradients_get_none():
    images = pictures().requires_grad_()
    grad_cam(small(), images, [0, 1, 2])

    assert images.grad is None


def test_of_a_module_that_runs_twice_the_last_maps_count():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.relu, self.first, self.second = nn.ReLU(), nn.Conv2d(1, 2, 3), nn.Conv2d(2, 3, 3)

        def forward(self, x):
            return self.relu(self.second(self.relu(self.first(x)))).mean(dim=(2, 3))

    torch.manual_seed(0)
    model = Twice()
    with torch.no_grad():
        maps = model.relu(model.second(model.relu(model.first(pictures(1, size=8)))))[0]
    found = grad_cam(model, pictures(1, size=8), [int(maps.mean(dim=(1, 2)).argmax())], layer="relu")

    assert found.map_size == (4, 4)
    # A logit is the mean of its map, so that the map itself is what is shown.
    enlarged = F.interpolate(maps[[int(maps.mean(dim=(1, 2)).argmax())]][None], size=8, mode="bilinear")[0, 0]
    expected = (enlarged - enlarged.min()) / (enlarged.max() - enlarged.min())
    assert found.maps[0] == pytest.approx(expected.numpy(), abs=1e-5)


def test_hooks_are_removed_after_an_error():
    model = small()
    with pytest.raises(UsageError):
        grad_cam(model, pictures(), [0, 1, 5])

    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"classes": [0, 1]}, UsageError, "3 pictures and 2 classes"),
        ({"classes": [0, 1, 5]}, UsageError, "classes go from 0 to 5, but the network has 0 to 4"),
        ({"classes": [-1, 1, 3]}, UsageError, "classes go from -1 to 3"),
        ({"method": "gradcam"}, UnknownNameError, "did you mean 'grad-cam'"),
        ({"layer": "9"}, UnknownNameError, "there is no layer '9'"),
        ({"layer": "8"}, UsageError, "'8' gives no maps"),
        ({"batch_size": 0}, UsageError, "at least 1, not 0"),
        ({"images": torch.zeros(0, 1, 12, 12), "classes": []}, UsageError, "0 pictures and 0 classes"),
        ({"images": torch.full((3, 1, 12, 12), torch.inf)}, DataError, "maps of the layer '3' are not finite"),
    ],
)
def test_what_does_not_fit_is_refused(change, error, words):
    whole = {"images": pictures(), "classes": [0, 1, 2], "layer": "3"} | change
    with pytest.raises(error, match=words):
        grad_cam(small(), whole.pop("images"), whole.pop("classes"), **whole)


def test_a_layer_that_leads_nowhere_is_refused():
    class Branched(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = nn.Conv2d(1, 2, 3), nn.Conv2d(1, 2, 3)

        def forward(self, x):
            self.unused(x)
            return self.used(x).mean(dim=(2, 3))

    with pytest.raises(UsageError, match="do not depend on the layer 'unused'"):
        grad_cam(Branched(), pictures(), [0, 1, 0], layer="unused")
