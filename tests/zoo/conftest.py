"""Other people's models: present in the environment with the `zoo` extra, skipped everywhere else."""

import importlib
import os
from types import ModuleType

import pytest


def _import_or_skip(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (ImportError, RuntimeError) as error:
        # Beside another build of torch than its own, torchvision is there and fails with a RuntimeError.
        if os.environ.get("GLAUKE_ZOO"):
            raise
        pytest.skip(f"{name} cannot be imported here ({error}); install 'glauke[zoo]'")


@pytest.fixture(scope="session")
def torchvision() -> ModuleType:
    """torchvision, or a skip; with GLAUKE_ZOO set, an error."""
    return _import_or_skip("torchvision")


@pytest.fixture(scope="session")
def timm() -> ModuleType:
    """timm, or a skip; with GLAUKE_ZOO set, an error."""
    return _import_or_skip("timm")
