"""Two studies, answered once for all tests that look at them."""

from pathlib import Path

import pytest

from interventions import played
from interventions.played import Steered


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """Where answers are, once they were given."""
    return tmp_path_factory.mktemp("answered")


@pytest.fixture(scope="session")
def found(folder: Path) -> Steered:
    """Steering toward task experts."""
    return played.task_experts(folder)


@pytest.fixture(scope="session")
def shared(folder: Path) -> Steered:
    """Steering toward shared experts."""
    return played.shared_experts(folder)
