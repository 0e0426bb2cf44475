"""A run from a pack by a recipe: everything that does not change while it runs."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from glauke.images import Batches, Pack, Split

from .._device import Precision
from .._plan import Plan, make_plan
from .._recipe import Recipe
from ..saving._held_out import curve_part


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setting:
    """What a session trains, with what, and where: everything that does not change while it runs."""

    recipe: Recipe
    plan: Plan
    pack: Pack
    split: Split
    folder: Path
    max_lr: float
    seed: int
    device: torch.device
    precision: Precision
    mirror: bool = False
    """Judge the held-out pictures together with their mirrored copies at the end."""

    def with_recipe(self, recipe: Recipe) -> "Setting":
        """The same with another recipe, laid out anew."""
        plan = make_plan(recipe, num_pictures=len(self.split.train), pack_size=self.pack.size)
        return replace(self, recipe=recipe, plan=plan)

    def train_batches(self, size: int) -> Batches:
        """The training pictures at a size, in the order and with the augmentation of the run's seed."""
        return Batches(
            self.pack,
            self.split.train,
            batch_size=self.recipe.batch_size,
            size=size,
            device=self.device,
            shuffle=True,
            augmentation=self.recipe.augmentation,
            seed=self.seed,
        )

    def held_out_batches(self, count: int | None) -> Batches:
        """The held-out pictures, or the fixed part of them that the curve uses."""
        part = curve_part(self.pack, self.split.val, count)
        return Batches(
            self.pack,
            part,
            batch_size=max(self.recipe.batch_size, 256),
            size=self.plan.eval_size,
            device=self.device,
        )
