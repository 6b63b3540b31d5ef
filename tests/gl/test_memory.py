"""What NVIDIA's driver tells of its cards; a fake driver here, as few machines have one."""

from types import SimpleNamespace

import pynvml
import pytest

from facefusion_live.adapters.gpu import memory
from facefusion_live.domain.limits import CardMemory


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two cards; returns what was called at the beginning and the end."""
    called: list[str] = []
    shown = {0: ("NVIDIA A", 3 << 30, 8 << 30), 1: ("NVIDIA B", 100 << 20, 2 << 30)}
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: called.append("init"))
    monkeypatch.setattr(pynvml, "nvmlShutdown", lambda: called.append("shutdown"))
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", lambda: len(shown))
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", lambda index: index)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetName", lambda card: shown[card][0])
    monkeypatch.setattr(
        pynvml, "nvmlDeviceGetMemoryInfo", lambda card: SimpleNamespace(free=shown[card][1], total=shown[card][2])
    )
    return called


def test_every_card_is_told_and_the_driver_let_go(driver: list[str]) -> None:
    assert memory.cards() == [
        CardMemory("NVIDIA A", 3072, 8192),
        CardMemory("NVIDIA B", 100, 2048),
    ]
    assert driver == ["init", "shutdown"]


def test_a_card_that_goes_away_is_none(driver: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: int) -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)

    monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", gone)
    assert memory.cards() == []
    assert driver == ["init", "shutdown"]


def test_where_there_is_no_driver_there_is_no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", missing)
    assert memory.cards() == []
