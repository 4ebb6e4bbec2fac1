import pytest
import torch

from polyroute.ground.device import device_name, usable
from polyroute.ground.errors import PolyrouteError


@pytest.fixture
def no_gpu(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture
def two_gpus(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda place: f"GPU {place.index or 0}")


@pytest.mark.usefixtures("no_gpu")
def test_without_a_gpu_everything_runs_on_the_cpu() -> None:
    assert (usable("auto", "device"), device_name(), device_name("cpu")) == ("cpu", "cpu", "cpu")


@pytest.mark.usefixtures("two_gpus")
def test_a_gpu_has_the_name_that_its_driver_gives_it() -> None:
    assert usable("auto", "device") == "cuda:0"
    assert (device_name(), device_name("cuda:1"), device_name("cpu")) == ("GPU 0", "GPU 1", "cpu")


@pytest.mark.parametrize("device", ["abacus", "cuda:99"])
def test_a_device_that_there_is_not_is_told_with_its_key(device: str) -> None:
    with pytest.raises(PolyrouteError, match=rf"^models\.mine\.device: `{device}` cannot be used here \(.+\): take "):
        usable(device, "models.mine.device")
