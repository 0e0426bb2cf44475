"""torchvision's and timm's networks by name: built, warned about, filled, and read back from a weights file."""

import json
import urllib.error

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from glauke.errors import CannotGoOnError, UnknownNameError, UsageError
from glauke.insight import load_trained
from glauke.models import build_model, check_model, has_stems, load_weights, resnet18, stem_warning
from glauke.models._zoo import find_in_zoo

OURS = ("resnet18", "resnet34", "davidnet")


@pytest.fixture(autouse=True)
def both(torchvision, timm):
    """Skip without the two."""


def built(name, *, num_classes=7, channels=3, seed=0, **options):
    return build_model(name, num_classes=num_classes, in_channels=channels, stem="maxpool", seed=seed, **options)


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("timm/resnet26d", ("timm", "resnet26d")),
        ("resnet26d", ("timm", "resnet26d")),
        ("torchvision/mobilenet_v3_small", ("torchvision", "mobilenet_v3_small")),
        ("mobilenet_v3_small", ("torchvision", "mobilenet_v3_small")),
        ("timm/resnet18", ("timm", "resnet18")),
        ("timm/resnet18.a1_in1k", ("timm", "resnet18.a1_in1k")),
    ],
)
def test_a_name_leads_to_one_library(name, found):
    assert find_in_zoo(name, ours=OURS) == found
    check_model(name)
    assert not has_stems(name)


def test_a_name_that_both_have_asks_which():
    with pytest.raises(UsageError, match="timm both have a vgg16; say which: timm/vgg16 or torchvision/vgg16"):
        check_model("vgg16")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("resnet81", "did you mean 'resnet18' or 'timm/resnet"),
        ("torchvision/mobilenet_v3_smal", "did you mean 'torchvision/mobilenet_v3_small'"),
        ("timm/resnet18.nobody", "'timm/resnet18"),
    ],
)
def test_an_unknown_name_gets_the_nearest_of_ours_and_theirs(name, near):
    with pytest.raises(UnknownNameError, match="there is no model") as caught:
        check_model(name)
    assert near in str(caught.value)
    assert len(str(caught.value)) < 400  # not all 1,400 names


@pytest.mark.parametrize("name", ["torchvision/mobilenet_v3_small", "torchvision/squeezenet1_1", "timm/resnet26d"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_networks_have_the_classes_and_channels_that_were_asked_for(name, channels):
    model = built(name, channels=channels)
    pictures = torch.randn(2, channels, 64, 64)
    assert model(pictures).shape == (2, 7)
    model(pictures).sum().backward()


@pytest.mark.parametrize("name", ["torchvision/googlenet", "torchvision/inception_v3"])
def test_side_outputs_are_left_out(name):
    assert built(name).train()(torch.randn(2, 3, 80, 80)).shape == (2, 7)


@pytest.mark.parametrize("name", ["torchvision/mobilenet_v3_small", "timm/resnet26d"])
@pytest.mark.parametrize("channels", [1, 3])
def test_first_weights_depend_on_the_seed_alone(name, channels):
    before = torch.get_rng_state()
    first, again, other = (built(name, channels=channels, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert same(first, again) and not same(first, other)


@pytest.mark.parametrize("name", ["torchvision/resnet18", "timm/resnet18"])
def test_last_norms_start_at_zero_where_asked(name):
    model = built(name, zero_gamma=True)
    assert not any(p.any() for key, p in model.named_parameters() if key.endswith("bn2.weight"))
    with pytest.raises(UsageError, match="residual blocks that end in a norm"):
        built("torchvision/mobilenet_v3_small", zero_gamma=True)


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [
        ("torchvision/resnet18", 64, "convolutions leave maps of 16 x 16"),
        ("timm/resnet26d", 64, "convolutions leave maps of 16 x 16"),
        ("torchvision/mobilenet_v3_small", 64, "convolutions leave maps of 8 x 8"),
        ("torchvision/resnet18", 32, "smallest maps are 1 x 1"),
        ("torchvision/resnet18", 224, None),
        ("torchvision/swin_t", 64, "its convolutions leave maps of 16 x 16"),
    ],
)
def test_stems_for_large_pictures_are_told(name, size, said):
    warning = stem_warning(built(name), size)
    assert warning is None if said is None else said in (warning or "")


def test_a_network_for_one_size_is_refused_at_another():
    with pytest.raises(UsageError, match=r"cannot take pictures of 64 x 64 pixels .*--size"):
        stem_warning(built("timm/vit_tiny_patch16_224"), 64)


@pytest.mark.parametrize("name", ["resnet26d", "torchvision/mobilenet_v3_small"])
def test_a_weights_file_of_a_run_is_read_back(tmp_path, name):
    model = built(name, num_classes=2, channels=1)
    about = {
        "model": name, "stem": "maxpool", "classes": ["a", "b"], "channels": 1, "size": 32, "mean": [0.5], "std": [0.2],
    }  # fmt: skip
    path = tmp_path / "final.safetensors"
    save_file(model.state_dict(), path, {"glauke": json.dumps(about)})
    trained = load_trained(path)
    assert same(trained.model.cpu(), model)
    assert (trained.name, trained.channels) == (name, 1)


def test_torchvisions_resnet_fills_ours_but_for_stem_and_head(tmp_path):
    theirs = built("torchvision/resnet18", num_classes=1000)
    save_file(theirs.state_dict(), tmp_path / "resnet18.safetensors")
    ours = resnet18(7)
    report = load_weights(ours, tmp_path / "resnet18.safetensors")
    assert report.missing == ("conv1.weight", "fc.weight", "fc.bias")
    assert torch.equal(ours.layer4[1].conv2.weight, theirs.layer4[1].conv2.weight)


@pytest.fixture
def published(torchvision, monkeypatch):
    """What torchvision would fetch for resnet18, as its loader gives it."""
    torch.manual_seed(5)
    state = torchvision.models.resnet18().state_dict()

    def load(url, *, check_hash, weights_only):
        assert url.startswith("https://") and check_hash and weights_only
        return state

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", load)
    return state


@pytest.mark.parametrize("channels", [1, 3])
def test_published_weights_of_torchvision_get_a_new_head_and_any_channels(published, channels):
    model = built("torchvision/resnet18", channels=channels, pretrained=True, zero_gamma=True)
    state = model.state_dict()
    assert state["fc.weight"].shape == (7, 512)
    inner = [key for key in state if not key.startswith(("fc.", "conv1."))]
    assert all(torch.equal(state[key], published[key]) for key in inner)
    grey = torch.randn(1, 1, 16, 16).expand(1, channels, 16, 16)
    expected = nn.functional.conv2d(grey[:, :1].expand(1, 3, 16, 16), published["conv1.weight"], stride=2, padding=3)
    torch.testing.assert_close(model.conv1(grey), expected)


def test_published_weights_of_timm_get_a_new_head(timm, monkeypatch):
    seen = []
    create = timm.create_model

    def created(name, *, pretrained, **options):
        seen.append((name, pretrained, options))
        return create(name, **options)

    monkeypatch.setattr(timm, "create_model", created)
    built("timm/resnet26d", channels=1, pretrained=True)
    assert seen == [("resnet26d", True, {"num_classes": 7, "in_chans": 1})]


@pytest.mark.parametrize(
    "error", [urllib.error.URLError("no network"), RuntimeError("invalid hash value"), ConnectionError("refused")]
)
def test_weights_that_cannot_be_fetched_are_one_sentence(monkeypatch, error):
    def offline(*arguments, **options):
        raise error

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", offline)
    with pytest.raises(
        CannotGoOnError, match=r"weights of torchvision/resnet18 cannot be fetched .*--weights"
    ) as caught:
        built("torchvision/resnet18", pretrained=True)
    assert "\n" not in str(caught.value)


def test_where_nobody_published_weights_that_is_said():
    with pytest.raises(UsageError, match="nobody has published weights for timm/coatnet_nano_cc_224"):
        built("timm/coatnet_nano_cc_224", pretrained=True)
