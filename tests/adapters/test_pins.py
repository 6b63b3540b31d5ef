"""A model's file that is not the one that came does not run, however it was exchanged."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from facefusion_live.adapters.onnx import pins
from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.domain.errors import ModelChangedError, ModelFileError
from tests.adapters import onnx_graphs
from tests.support import RESOURCES

MODEL = "crossface_ghost"


def note(path: Path, digest: str | None = None) -> None:
    digest = digest or hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name(f"{path.name}.sha256").write_text(f"{digest}  {path.name}\n", "utf-8")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = onnx_graphs.scaling_converter(tmp_path / f"{MODEL}.onnx", 512, 1.0, 0.0)
    note(made)
    return made


def catalog(path: Path) -> Catalog:
    return Catalog(path.parent, RESOURCES / "models", RESOURCES / "cards", provider="cpu")


def opened(catalog: Catalog) -> object:
    return catalog._net(catalog.card(MODEL))


def test_the_file_that_came_runs(path: Path) -> None:
    assert opened(catalog(path))


def test_another_net_in_its_place_is_refused_with_what_to_do(path: Path) -> None:
    came = path.read_bytes()
    onnx_graphs.scaling_converter(path, 512, 3.0, 0.0)  # sound, of the same shape: nothing but its SHA-256 differs
    with pytest.raises(ModelChangedError, match=r"crossface_ghost\.onnx has changed since it came") as refusal:
        opened(catalog(path))
    assert refusal.value.advice == "Fetch it anew: facefusion-live models pull crossface_ghost"
    assert refusal.value.model == MODEL
    assert refusal.value.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(came)
    assert opened(catalog(path)), "the right one serves again"


def test_a_net_that_was_loaded_before_is_no_way_round(path: Path) -> None:
    """One flipped bit in a file of the same length, and its time set back."""
    models = catalog(path)
    held = opened(models)
    before = path.stat()
    body = bytearray(path.read_bytes())
    body[-1] ^= 1
    path.write_bytes(body)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ModelChangedError):
        opened(models)
    assert held


def test_one_without_an_address_is_taken_in_again(path: Path) -> None:
    mine = (RESOURCES / "cards" / f"{MODEL}.toml").read_text("utf-8")
    start, end = mine.index("urls = ["), mine.index("]") + 1
    (path.parent / f"{MODEL}.toml").write_text(
        mine[:start] + 'home = "https://example.org/m"\nurls = []' + mine[end:], "utf-8"
    )
    note(path, "0" * 64)
    with pytest.raises(ModelChangedError) as refusal:
        opened(catalog(path))
    assert refusal.value.advice == "Take the right file in: facefusion-live models add FILE"


@pytest.mark.parametrize("text", ["", "0" * 64, f"{'0' * 64}  another.onnx", "nonsense  crossface_ghost.onnx", "\xff"])
def test_a_note_that_is_none_of_this_file_pins_nothing(path: Path, text: str) -> None:
    path.with_name(f"{path.name}.sha256").write_text(text, "latin-1")
    assert pins.pin_of(path) is None
    assert opened(catalog(path))


def test_one_that_was_put_there_by_hand_has_no_pin_and_runs(path: Path) -> None:
    path.with_name(f"{path.name}.sha256").unlink()
    assert opened(catalog(path))


def test_the_file_of_the_card_runs_whatever_was_noted(path: Path) -> None:
    mine = (RESOURCES / "cards" / f"{MODEL}.toml").read_text("utf-8")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (path.parent / f"{MODEL}.toml").write_text(f'sha256 = "{digest}"\n{mine}', "utf-8")
    note(path, "0" * 64)
    assert opened(catalog(path))


def test_a_file_is_read_once_as_long_as_it_stays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    real = pins.sha256_of

    def counting(each: Path) -> str:
        read.append(each)
        return real(each)

    monkeypatch.setattr(pins, "sha256_of", counting)
    card, rest_s = catalog(path).card(MODEL), 2 * pins._TICK_NS / 1e9
    path.touch()
    assert not pins.changed(card, path)
    assert len(read) == 1, "it was written this moment: not remembered, lest the next write has the same time"
    time.sleep(rest_s)
    for _ in range(3):
        assert not pins.changed(card, path)
    assert len(read) == 2
    path.touch()
    time.sleep(rest_s)
    assert not pins.changed(card, path)
    assert len(read) == 3, "its time of change is another"


def test_one_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    for ask in (pins.sha256_of, pins._remembered):
        with pytest.raises(ModelFileError, match="folder cannot be read"):
            ask(tmp_path / "folder")
