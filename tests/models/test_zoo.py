"""Names that are none of ours, where the two libraries are absent or made up; the real ones are in tests/zoo."""

import sys
from types import ModuleType

import pytest
from torch import nn

from glauke.errors import UnknownNameError, UsageError
from glauke.models import _zoo as zoo
from glauke.models import build_model, check_model


@pytest.fixture(autouse=True)
def fresh_names():
    zoo._names.cache_clear()
    yield
    zoo._names.cache_clear()


@pytest.fixture
def absent(monkeypatch):
    for name in ("timm", "torchvision", "torchvision.models"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.fixture
def made_up(monkeypatch, absent):
    """A timm that has two networks, and a torchvision that has one of them."""
    timm, torchvision, models = ModuleType("timm"), ModuleType("torchvision"), ModuleType("torchvision.models")
    timm.list_models = lambda pretrained=False: ["shared", "lone.tag"] if pretrained else ["shared", "lone"]
    timm.create_model = lambda name, *, pretrained, num_classes, in_chans: nn.Linear(in_chans, num_classes)
    models.list_models = lambda *, module: ["shared", "mobile"] if module is models else []
    for module in (timm, torchvision, models):
        monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_a_missing_library_is_one_sentence_with_the_command(absent, library):
    with pytest.raises(UsageError, match=rf'models of {library} need it .*; pip install "glauke\[zoo\]"') as caught:
        check_model(f"{library}/mobilenet")
    assert "\n" not in str(caught.value)


def test_without_the_libraries_an_unknown_name_tells_of_ours_and_of_them(absent):
    with pytest.raises(UnknownNameError) as caught:
        check_model("davidnett")
    assert str(caught.value).startswith("there is no model 'davidnett'; did you mean 'davidnet'? choose one of: cifar")
    assert str(caught.value).endswith('or install those of torchvision and timm with pip install "glauke[zoo]"')


def test_a_bare_name_is_enough_where_one_library_has_it(made_up):
    assert zoo.find_in_zoo("lone", ours=()) == zoo.find_in_zoo("timm/lone", ours=()) == ("timm", "lone")
    assert zoo.find_in_zoo("lone.tag", ours=()) == ("timm", "lone.tag")
    assert zoo.find_in_zoo("mobile", ours=()) == ("torchvision", "mobile")
    with pytest.raises(UsageError, match="say which: timm/shared or torchvision/shared"):
        zoo.find_in_zoo("shared", ours=())


def test_the_nearest_of_each_is_named(made_up):
    with pytest.raises(UnknownNameError, match="did you mean 'resnet18' or 'timm/lone'"):
        zoo.find_in_zoo("resnelone", ours=("resnet18",))
    with pytest.raises(UnknownNameError, match="did you mean 'torchvision/mobile'"):
        zoo.find_in_zoo("torchvision/mobil", ours=("resnet18",))


def test_a_library_gets_classes_and_channels(made_up):
    model = build_model("lone", num_classes=4, in_channels=2, stem="full", seed=0)
    assert model.weight.shape == (4, 2)
    with pytest.raises(UsageError, match="num_classes=0"):
        build_model("lone", num_classes=0, in_channels=2, stem="full", seed=0)
