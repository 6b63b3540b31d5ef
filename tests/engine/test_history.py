import pytest

from facefusion_live.domain.errors import SettingsError
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.history import _KEPT, History
from facefusion_live.engine.store import Change, SettingsStore


@pytest.fixture
def store() -> SettingsStore:
    return SettingsStore(Settings())


@pytest.fixture
def history(store: SettingsStore) -> History:
    return History(store)


def opacity(store: SettingsStore) -> object:
    return store.current.value("look.opacity")


def test_each_commit_can_be_taken_back_and_done_again(store: SettingsStore, history: History) -> None:
    store.commit({"look.opacity": 0.8})
    store.commit({"look.opacity": 0.7, "mask.feather": 0.2})
    assert (history.can_undo, history.can_redo) == (True, False)
    assert history.undo() is not None
    assert (opacity(store), store.current.value("mask.feather")) == (0.8, 0.05)
    assert history.undo() is not None
    assert opacity(store) == 1.0
    assert (history.can_undo, history.can_redo) == (False, True)
    history.redo()
    history.redo()
    assert (opacity(store), store.current.value("mask.feather")) == (0.7, 0.2)
    assert (history.undo() is None, history.redo() is None) == (False, False)


def test_nothing_to_take_back_changes_nothing(store: SettingsStore, history: History) -> None:
    assert (history.undo(), history.redo()) == (None, None)
    assert store.revision == 0


def test_a_step_back_is_one_commit(store: SettingsStore, history: History) -> None:
    store.commit({"look.opacity": 0.8, "mask.feather": 0.2})
    heard: list[Change] = []
    store.on_commit(heard.append)
    history.undo()
    history.redo()
    assert [dict(change.fields) for change in heard] == [
        {"mask.feather": (0.2, 0.05), "look.opacity": (0.8, 1.0)},
        {"mask.feather": (0.05, 0.2), "look.opacity": (1.0, 0.8)},
    ]


def test_previews_are_no_steps(store: SettingsStore, history: History) -> None:
    for level in (0.9, 0.8, 0.7):
        store.preview({"look.opacity": level})
    assert not history.can_undo
    store.commit()
    assert [step.before for step in history.done] == [{"look.opacity": 1.0}]


def test_a_new_change_forgets_what_was_undone(store: SettingsStore, history: History) -> None:
    store.commit({"look.opacity": 0.8})
    history.undo()
    store.commit({"mask.feather": 0.2})
    assert not history.can_redo
    assert [step.after for step in history.done] == [{"mask.feather": 0.2}]


def test_a_step_keeps_its_name(store: SettingsStore, history: History) -> None:
    history.commit({"look.opacity": 0.8}, "Soft")
    store.commit({"look.opacity": 0.7})
    assert [step.name for step in history.done] == ["", "Soft"]
    history.undo()
    assert [step.name for step in history.undone] == [""]


def test_a_refused_value_leaves_no_name_behind(store: SettingsStore, history: History) -> None:
    with pytest.raises(SettingsError):
        history.commit({"look.opacity": 7}, "Wrong")
    store.commit({"look.opacity": 0.8})
    assert [step.name for step in history.done] == [""]


def test_so_many_steps_are_remembered(store: SettingsStore, history: History) -> None:
    for step in range(_KEPT + 5):
        store.commit({"capture.width": 160 + 16 * (step % 2 + 1)})
    assert len(history.done) == _KEPT


def test_a_closed_history_hears_no_more(store: SettingsStore, history: History) -> None:
    history.close()
    store.commit({"look.opacity": 0.8})
    assert not history.can_undo
