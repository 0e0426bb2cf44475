"""Which layers give maps, which of them is looked at, and that looking leaves no trace."""

import pytest
import torch
from torch import nn

from glauke.errors import UnknownNameError, UsageError
from glauke.insight import layers
from glauke.insight.looking._layers import choose_layer, hooked, in_eval_mode, layers_for
from glauke.models import resnet18


@pytest.fixture(scope="module")
def resnet():
    return resnet18(7, 1, "full")


def chosen(model, size, name=None):
    return choose_layer(layers(model, size=size, channels=1), name, model)


def test_by_hand():
    model = nn.Sequential()
    model.add_module("stem", nn.Conv2d(1, 3, 3))
    model.add_module("stage", nn.Sequential(nn.MaxPool2d(2), nn.ReLU(inplace=True)))
    model.add_module("pool", nn.AdaptiveAvgPool2d(1))
    model.add_module("flat", nn.Flatten())
    found = layers(model, size=12, channels=1)

    assert [(layer.name, layer.kind, layer.channels, layer.map_size) for layer in found] == [
        ("stem", "Conv2d", 3, (10, 10)),
        ("stage.0", "MaxPool2d", 3, (5, 5)),
        ("stage.1", "ReLU", 3, (5, 5)),
        ("stage", "Sequential", 3, (5, 5)),
    ]


def test_pictures_need_not_be_square():
    assert layers_for(nn.Sequential(nn.Conv2d(2, 3, 3), nn.Flatten()), (2, 6, 9))[0].map_size == (4, 7)


def test_the_last_stage_is_looked_at(resnet):
    layer, note = chosen(resnet, 40)

    assert (layer.name, layer.map_size, layer.channels, note) == ("layer4", (5, 5), 512, None)


def test_one_stage_earlier_where_the_last_is_too_coarse(resnet):
    layer, note = chosen(resnet, 32)

    assert (layer.name, layer.map_size) == ("layer3", (8, 8))
    assert note is not None and "layer4" in note and "4×4" in note and "layer3, with 8×8" in note


def test_maps_of_a_single_pixel_do_not_count(resnet):
    layer, note = chosen(resnet, 8)  # the stages have 8, 4, 2 and 1 pixels

    assert layer.name == "layer2" and note is not None and "layer3" in note


def test_where_all_maps_are_coarse_the_last_is_looked_at():
    layer, note = chosen(nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.Flatten()), 4)

    assert (layer.name, note) == ("1", None)


def test_the_stage_within_a_wrapper_is_found():
    class Wrapper(nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(), nn.MaxPool2d(2))

        def forward(self, x):
            return self.backbone(x).mean(dim=(2, 3))

    assert chosen(Wrapper(), 40)[0].name == "backbone"
    assert chosen(Wrapper(), 16)[0].name == "backbone.2"


def test_a_layer_can_be_asked_for(resnet):
    assert chosen(resnet, 32, "layer4.1.bn2")[0].name == "layer4.1.bn2"
    assert chosen(resnet, 32, "layer4.1.bn2")[1] is None


def test_a_wrong_name_is_told_the_nearest(resnet):
    with pytest.raises(UnknownNameError, match=r"no layer 'layer4\.1\.conv7'; did you mean 'layer4\.1\.conv") as error:
        chosen(resnet, 32, "layer4.1.conv7")
    assert "layer1, layer2, layer3, layer4" in str(error.value) and len(str(error.value)) < 250


def test_a_layer_without_maps_is_refused(resnet):
    with pytest.raises(UsageError, match="'fc' gives no maps of more than one pixel; try 'layer4'"):
        chosen(resnet, 32, "fc")


def test_a_network_without_maps_is_refused():
    with pytest.raises(UsageError, match="no layer of this network gives maps"):
        chosen(nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), 8)


def test_a_network_without_logits_is_refused():
    with pytest.raises(UsageError, match=r"logits \(pictures, classes\), not \(1, 2, 6, 6\)"):
        layers(nn.Sequential(nn.Conv2d(1, 2, 3)), size=8, channels=1)


def test_looking_leaves_no_trace():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(), nn.Flatten(), nn.Linear(72, 3)).train()
    model[1].eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    layers(model, size=8, channels=1)

    assert [module.training for module in model.modules()] == [True, True, False, True, True, True]
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())


def test_hooks_and_modes_are_put_back_after_an_error():
    model = nn.Sequential(nn.Identity(), nn.Identity()).train()

    with pytest.raises(ZeroDivisionError), in_eval_mode(model), hooked({"0": model[0]}, lambda *_: 1 / 0):
        assert not model.training
        model(torch.zeros(1))
    assert model.training and not model[0]._forward_hooks


def test_a_module_that_runs_twice_is_listed_once_where_it_ends_last():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.relu, self.conv = nn.ReLU(), nn.Conv2d(1, 1, 3)

        def forward(self, x):
            return self.relu(self.conv(self.relu(x))).flatten(1)

    assert [(layer.name, layer.map_size) for layer in layers(Twice(), size=8, channels=1)] == [
        ("conv", (6, 6)),
        ("relu", (6, 6)),
    ]
