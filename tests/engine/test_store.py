import threading

import pytest

from facefusion_live.domain.errors import SettingsError
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.store import Change, SettingsStore


def test_a_preview_is_in_force_and_not_recorded() -> None:
    store, changes = SettingsStore(Settings()), list[Change]()
    store.on_commit(changes.append)
    store.preview({"look.opacity": 0.5})
    assert store.current.look.opacity == 0.5
    assert store.revision == 1
    assert changes == []


def test_a_commit_records_everything_since_the_last_one_as_one_change() -> None:
    store, changes = SettingsStore(Settings()), list[Change]()
    store.on_commit(changes.append)
    for opacity in (0.9, 0.8, 0.7):
        store.preview({"look.opacity": opacity})
    change = store.commit({"mask.feather": 0.2})
    assert change is not None
    assert dict(change.fields) == {"mask.feather": (0.05, 0.2), "look.opacity": (1.0, 0.7)}
    assert change.revision == store.revision == 4
    assert changes == [change]


def test_nothing_changed_nothing_told() -> None:
    store, changes, redraws = SettingsStore(Settings()), list[Change](), list[None]()
    store.on_commit(changes.append)
    store.on_change(lambda: redraws.append(None))
    assert store.commit() is None
    store.preview({"look.opacity": 1.0})
    assert (changes, redraws, store.revision) == ([], [], 0)


def test_a_preview_taken_back_leaves_nothing_to_commit() -> None:
    store = SettingsStore(Settings())
    store.preview({"look.opacity": 0.1})
    store.preview({"look.opacity": 1.0})
    assert store.commit() is None
    assert store.revision == 2


def test_watchers_hear_of_previews_and_commits() -> None:
    store, redraws = SettingsStore(Settings()), list[float]()
    store.on_change(lambda: redraws.append(store.current.look.opacity))
    store.preview({"look.opacity": 0.5})
    store.commit({"look.opacity": 0.25})
    assert redraws == [0.5, 0.25]


def test_who_no_longer_listens_hears_nothing() -> None:
    store, changes, redraws = SettingsStore(Settings()), list[Change](), list[None]()
    stop_changes, stop_redraws = store.on_commit(changes.append), store.on_change(lambda: redraws.append(None))
    stop_changes()
    stop_redraws()
    store.commit({"look.opacity": 0.5})
    assert (changes, redraws) == ([], [])


def test_a_listener_may_leave_while_it_is_told() -> None:
    store, heard = SettingsStore(Settings()), list[str]()

    def once(_: Change) -> None:
        heard.append("once")
        leave()

    leave = store.on_commit(once)
    store.on_commit(lambda _: heard.append("always"))
    store.commit({"look.opacity": 0.5})
    store.commit({"look.opacity": 0.6})
    assert heard == ["once", "always", "always"]


@pytest.mark.parametrize("values", [{"look.opacity": 2}, {"look.no_such": 1}, {"look.opacity": "x"}])
def test_a_bad_value_changes_nothing(values: dict[str, object]) -> None:
    store = SettingsStore(Settings())
    for act in (store.preview, store.commit):
        with pytest.raises(SettingsError):
            act(values)
    assert store.current == Settings()
    assert store.revision == 0


def test_commits_from_several_threads_lose_nothing() -> None:
    store, changes = SettingsStore(Settings()), list[Change]()
    store.on_commit(changes.append)
    paths = ("look.opacity", "look.match", "mask.keep_eyes", "mask.keep_mouth")

    def commit(path: str) -> None:
        for step in range(50):
            store.commit({path: (step % 2) / 2})

    threads = [threading.Thread(target=commit, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert [store.current.value(path) for path in paths] == [0.5] * 4
    assert sorted(change.revision for change in changes) == list(range(1, len(changes) + 1))
