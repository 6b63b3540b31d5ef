import os
import time
from pathlib import Path

import pytest

from facefusion_live.app.presets import Presets, _between
from facefusion_live.domain.errors import BadInputError, SettingsError
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.history import History
from facefusion_live.engine.store import Change, SettingsStore


class Desk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = SettingsStore(Settings())
        self.history = History(self.store)
        self.presets = Presets(folder, self.store, self.history)
        self.changes: list[Change] = []
        self.store.on_commit(self.changes.append)

    def ended(self) -> None:
        deadline_s = time.monotonic() + 10
        while self.presets.morphing:
            assert time.monotonic() < deadline_s
            time.sleep(0.005)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "presets")


def saved(desk: Desk, name: str, **values: object) -> None:
    before = desk.store.current
    desk.store.commit({path.replace("__", "."): value for path, value in values.items()})
    desk.presets.save(name)
    desk.store.commit({path: before.value(path) for path in ("look.opacity", "mask.feather", "look.sharpness")})
    desk.changes.clear()


def test_what_was_saved_is_recalled_as_one_named_step(desk: Desk) -> None:
    saved(desk, "Soft", look__opacity=0.8, mask__feather=0.25)
    assert desk.presets.names() == ("Soft",)
    assert desk.presets.compare("Soft") == {"mask.feather": (0.05, 0.25), "look.opacity": (1.0, 0.8)}
    desk.presets.recall("Soft")
    assert [len(change.fields) for change in desk.changes] == [2]
    assert desk.history.done[0].name == "Soft"
    assert desk.presets.compare("Soft") == {}


def test_a_preset_never_touches_what_keeps_people_safe(desk: Desk) -> None:
    desk.presets.save("Mine")
    text = (desk.folder / "Mine.toml").read_text("utf-8")
    assert "[gate]" not in text
    (desk.folder / "Trap.toml").write_text('version = 1\n[gate]\nbystanders = "keep"\n', "utf-8")
    with pytest.raises(SettingsError, match="which is no look"):
        desk.presets.recall("Trap")
    assert desk.changes == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version = 1\n[look]\nopacity = 7\n", "look.opacity"),
        ("version = 1\n[look]\nglow = 1\n", "no parameter"),
        ("version = 2\n", "newer version"),
        ("[look]\nopacity = 1.0\n", "unknown version None"),
        ("look = ", "cannot be read"),
        ("version = 1\nlook = 3\n", "which is no look"),
    ],
)
def test_a_file_that_is_no_preset_is_refused_in_words(desk: Desk, text: str, words: str) -> None:
    desk.folder.mkdir()
    (desk.folder / "Odd.toml").write_text(text, "utf-8")
    for use in (desk.presets.recall, desk.presets.compare, lambda name: desk.presets.morph(name, 1)):
        with pytest.raises(SettingsError, match=words):
            use("Odd")
    assert desk.changes == []


@pytest.mark.parametrize("name", ["", "  ", "a/b", "..", ".hidden", "a\\b", "x" * 61, "nul\0", 'quote"'])
def test_names_that_are_no_file_names_are_refused(desk: Desk, name: str) -> None:
    for use in (desk.presets.save, desk.presets.recall, desk.presets.delete):
        with pytest.raises(BadInputError, match="cannot be the name"):
            use(name)
    assert not desk.folder.exists()


def test_names_are_sorted_as_people_sort_and_may_be_chinese(desk: Desk) -> None:
    for name in ("beta", "Alpha", "柔和"):
        desk.presets.save(name)
    (desk.folder / "notes.txt").write_text("no preset", "utf-8")
    assert desk.presets.names() == ("Alpha", "beta", "柔和")


def test_unknown_presets_are_named_with_what_there_is(desk: Desk) -> None:
    desk.presets.save("Soft")
    for use in (desk.presets.recall, desk.presets.delete):
        with pytest.raises(BadInputError) as caught:
            use("Hard")
        assert caught.value.advice == "Presets: Soft."
    desk.presets.delete("Soft")
    assert desk.presets.names() == ()


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no such rights")
def test_a_preset_is_written_whole_or_not_at_all(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.presets.save("Soft")
    before = (desk.folder / "Soft.toml").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    desk.store.commit({"look.opacity": 0.5})
    with pytest.raises(SettingsError, match="cannot be written"):
        desk.presets.save("Soft")
    assert (desk.folder / "Soft.toml").read_bytes() == before


def test_a_morph_previews_on_the_way_and_commits_once(desk: Desk) -> None:
    saved(desk, "Soft", look__opacity=0.5, look__sharpness=2.0)
    seen: list[float] = []
    desk.store.on_change(lambda: seen.append(float(desk.store.current.look.opacity)))
    desk.presets.morph("Soft", 0.2)
    desk.ended()
    assert len(desk.changes) == 1
    assert desk.changes[0].fields == {"look.opacity": (1.0, 0.5), "look.sharpness": (0.25, 2.0)}
    assert len(seen) > 3
    assert seen == sorted(seen, reverse=True)


def test_a_morph_in_no_time_is_a_recall(desk: Desk) -> None:
    saved(desk, "Soft", look__opacity=0.5)
    desk.presets.morph("Soft", 0)
    desk.ended()
    assert [len(change.fields) for change in desk.changes] == [1]


def test_a_morph_that_is_given_up_stays_where_it_is(desk: Desk) -> None:
    saved(desk, "Soft", look__opacity=0.0)
    desk.presets.morph("Soft", 60)
    deadline_s = time.monotonic() + 10
    while desk.store.current.look.opacity == 1.0:
        assert time.monotonic() < deadline_s
    desk.presets.stop_morph()
    assert not desk.presets.morphing
    assert len(desk.changes) == 1
    assert 0.5 < desk.store.current.look.opacity < 1.0
    desk.presets.stop_morph()
    assert len(desk.changes) == 1


@pytest.mark.parametrize("seconds", [-1, 61, float("nan")])
def test_times_that_are_none_are_refused(desk: Desk, seconds: float) -> None:
    desk.presets.save("Soft")
    with pytest.raises(BadInputError, match="is not allowed"):
        desk.presets.morph("Soft", seconds)


def test_what_is_no_number_changes_half_way() -> None:
    assert _between("look.opacity", 0.0, 1.0, 0.25) == 0.25
    assert _between("gate.hold_ms", 0, 100, 0.5) == 50
    assert [_between("gate.slate", "card", "pixelate", share) for share in (0.4, 0.6)] == ["card", "pixelate"]
