"""Complete recipes, each a function without arguments.

`RECIPES` is the list that the command line offers. A new one is a function here and a row in its table; the contract
tests pick it up.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from glauke.errors import UnknownNameError

from ._recipe import Recipe


def assignment() -> Recipe:
    """The reports' exercise: 50 epochs of SGD, range test, linear One Cycle that peaks at the end of epoch 10.

    ResNet18 with the full stem, batch 512, momentum 0.9, peak rate at the steepest descent of a linear range test over
    100 iterations. On 70,000 pictures that is 137 steps an epoch. Meant for a GPU.
    """
    return Recipe(
        name="assignment",
        why="the published exercise, for a GPU: full stem, 50 epochs, peak rate from the range test",
        stem="full",
        epochs=50,
        batch_size=512,
        nesterov=False,
        pad=8,
        cutout=16,
        start_div=8.0,
    )


def quick() -> Recipe:
    """About half an hour on two CPU cores: max-pool stem, six epochs, most of them at half size.

    Small pictures first ("progressive resizing") pays where arithmetic is the limit: a picture at 32 pixels costs a
    quarter of one at 64. On a machine without native bf16 the cycle is shortened to keep to the time.
    """
    return Recipe(
        name="quick",
        why="a good first result in about half an hour on two CPU cores",
        epochs=6,
        max_lr=0.2,
        pad=4,
        sizes=((0.0, 32), (0.55, 40), (0.75, 48), (0.95, 64)),
        eval_pictures=3000,
        minutes=30.0,
    )


def laptop() -> Recipe:
    """About an hour on two CPU cores with native bf16: the schedule of `quick` with more than twice the epochs.

    14 epochs: eight at 32 pixels, then two each at 40, 48 and 64. Every other epoch is the mirror image of the one
    before, which shows both sides of each picture twice as evenly as a new draw would and costs nothing (arXiv
    2404.00498, section 3.6). There is no running average of the weights: the rate ends near 0, so that they stand still
    by themselves, and an average would reach back to epochs at 48 pixels, whose batch norms have other statistics.
    """
    return Recipe(
        name="laptop",
        why="a good result in about an hour on two CPU cores with native bf16",
        epochs=14,
        max_lr=0.2,
        pad=6,
        alternate=True,
        sizes=((0.0, 32), (0.58, 40), (0.73, 48), (0.88, 64)),
        eval_pictures=3000,
        minutes=60.0,
    )


def folder() -> Recipe:
    """Any folder of class folders: 30 epochs at the pack's size, peak rate from the range test."""
    return Recipe(
        name="folder",
        why="any folder of class folders, at the size of its pictures",
        epochs=30,
        batch_size=64,
        lr_rule="valley",
        lr_to=0.3,
        pad=6,
    )


def digits() -> Recipe:
    """Scikit-learn's 1,797 digits of 8x8 pixels, in well under a minute on two cores; no mirroring of digits."""
    return Recipe(
        name="digits",
        why="the embedded digits, in under a minute",
        epochs=8,
        batch_size=64,
        lr_rule="valley",
        lr_to=0.1,
        pad=1,
        flip=False,
    )


def mnist() -> Recipe:
    """MNIST and Fashion-MNIST at 28 pixels: ten epochs, small shifts, no mirroring, which would make other digits."""
    return Recipe(
        name="mnist",
        why="grey pictures of 28 pixels, ten epochs without mirroring",
        epochs=10,
        lr_rule="valley",
        lr_to=0.3,
        pad=2,
        flip=False,
    )


def cifar() -> Recipe:
    """CIFAR-10 and CIFAR-100 at 32 pixels: 30 epochs with the full stem, shifts, alternating flips and small cutouts.

    The full stem is for a GPU; on a CPU `--stem maxpool` costs a quarter.
    """
    return Recipe(
        name="cifar",
        why="colour pictures of 32 pixels, 30 epochs with the full stem",
        stem="full",
        epochs=30,
        lr_rule="valley",
        lr_to=0.5,
        pad=4,
        alternate=True,
        cutout=8,
    )


RECIPES: Mapping[str, Callable[[], Recipe]] = MappingProxyType(
    {recipe.__name__: recipe for recipe in (assignment, quick, laptop, folder, digits, mnist, cifar)}
)
"""Every recipe by name."""


def recipe_named(name: str) -> Recipe:
    """Return the recipe called `name`; `UnknownNameError` names the nearest otherwise."""
    if name not in RECIPES:
        raise UnknownNameError(name, kind="recipe", known=RECIPES)
    return RECIPES[name]()


def suitable(data: str, *, device: str) -> tuple[Recipe, str]:
    """Choose the recipe for a data set on a kind of device, and say why in a sentence."""
    if data == "digits":
        return digits(), "recipe digits, because the data are the embedded digits"
    if data == "tiny-imagenet":
        if device == "cuda":
            return assignment(), "recipe assignment, because the data are Tiny ImageNet and there is a GPU"
        return quick(), "recipe quick, because the data are Tiny ImageNet and there is no GPU"
    if data in ("mnist", "fashion-mnist"):
        return mnist(), f"recipe mnist, because the data are {data}"
    if data in ("cifar10", "cifar100"):
        return cifar(), f"recipe cifar, because the data are {data}"
    return folder(), "recipe folder, because the data are a folder of class folders"
