"""What the studio keeps and puts on record: people, settings, the last session, the audit log."""

import time
from pathlib import Path

import cv2
import pyotp
import pytest

from facefusion_live.adapters.onnx.content import NudityNet
from facefusion_live.app.audit_desk import Filter
from facefusion_live.app.audit_wiring import AuditHome
from facefusion_live.app.environment import Home, load_settings
from facefusion_live.app.portraits import Consent
from facefusion_live.app.studio import Level, Phase, Studio, open_studio
from facefusion_live.domain.audit.errors import OperatorCodeError
from facefusion_live.domain.audit.report import VERDICTS, Outcome
from facefusion_live.domain.errors import SettingsError
from facefusion_live.domain.ports import GateState
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.gate import Block
from tests.flow.studio.conftest import WAIT_S, Stage
from tests.support import RESOURCES


def own_photo(folder: Path) -> Path:
    """A photo of somebody who is no avatar."""
    path = folder / "me.png"
    assert cv2.imwrite(str(path), cv2.flip(cv2.imread(str(RESOURCES / "avatars" / "bo.jpg")), 1))
    return path


def test_an_own_face_is_used_and_taken_back_while_live(stage: Stage, tmp_path: Path) -> None:
    (added,) = stage.studio.library.add([own_photo(tmp_path)], Consent.LICENSED).result(WAIT_S)
    assert (added.name, added.problem) == ("me.png", None)
    person = stage.studio.library.person(added.person_id)
    assert (person.name, person.consent) == ("me", Consent.LICENSED)
    assert person.thumbnail is not None
    stage.studio.choose_source(person.id)
    stage.live()
    actions = stage.actions()
    assert actions.index("consent.grant") < actions.index("source.load")
    stage.studio.library.remove(person.id).result(WAIT_S)
    stage.until(lambda: stage.studio.state().gate is GateState.SLATE, "slate")
    assert stage.studio.state().blocks == {Block.CONSENT}
    assert stage.studio.state().source is None
    assert "consent.revoke" in stage.actions()
    stage.studio.choose_source("bo")
    stage.until(lambda: stage.studio.state().gate is GateState.LIVE, "another face")
    assert stage.notices() == ["the face in use was removed"]
    assert str(tmp_path) not in str(stage.rows())


def test_a_picture_without_a_face_is_told(stage: Stage) -> None:
    (added,) = stage.studio.library.add([RESOURCES / "slate.png"], Consent.SELF).result(WAIT_S)
    assert (added.person_id, added.problem) == (None, "no face was found")
    assert stage.actions().count("consent.grant") == 0


def test_the_next_studio_begins_where_this_one_ended(stage: Stage, tmp_path: Path) -> None:
    clip = RESOURCES / "demo" / "driver.mp4"
    stage.studio.choose_source("cleo")
    stage.studio.choose_input(str(clip))
    stage.studio.store.commit({"look.opacity": 0.9})
    stage.studio.close()
    assert load_settings(stage.home.settings_file).look.opacity == 0.9
    again = open_studio(stage.home, {"mask.feather": 0.2})
    state = again.state()
    assert (state.source.person_id, state.input.spec) == ("cleo", str(clip))
    assert again.recent_inputs() == (str(clip),)
    assert (again.store.current.look.opacity, again.store.current.mask.feather) == (0.9, 0.2)
    again.close()
    assert str(tmp_path / "home") in str(stage.home.config)


def test_a_studio_that_does_not_remember_leaves_the_last_session_alone(stage: Stage) -> None:
    stage.studio.choose_source("cleo")
    stage.studio.close()
    demo = open_studio(stage.home, {}, remember=False)
    demo.choose_source("bo")
    demo.close()
    again = open_studio(stage.home, {})
    assert again.state().source.person_id == "cleo"
    again.close()


@pytest.mark.parametrize("name", ["session.toml", "consent/people.toml"])
def test_a_damaged_file_is_put_aside_and_told(tmp_path: Path, name: str) -> None:
    file = tmp_path / "home" / name
    file.parent.mkdir(parents=True)
    file.write_text("{", "utf-8")
    stage = Stage(tmp_path / "home")
    (told,) = stage.studio.take_notices()
    assert (told.level, told.text) == (Level.WARNING, f"{file.name} cannot be read")
    assert told.advice == f"It was put aside as {file.stem}.damaged."
    assert file.with_suffix(".damaged").read_text("utf-8") == "{"
    stage.studio.close()


def test_damaged_settings_are_put_aside_and_the_usual_ones_taken(tmp_path: Path) -> None:
    home = Home(tmp_path, tmp_path, tmp_path / "logs")
    home.settings_file.write_text("[gate\n", "utf-8")
    studio = open_studio(home, {"look.opacity": 0.9})
    (told,) = studio.take_notices()
    assert (told.level, told.text) == (Level.WARNING, "settings.toml cannot be read")
    assert told.advice == "It was put aside as settings.damaged; the usual settings are in force."
    assert studio.store.current == Settings().with_values({"look.opacity": 0.9})
    assert (tmp_path / "settings.damaged").read_text("utf-8") == "[gate\n"
    studio.close()
    with pytest.raises(SettingsError, match="there is no parameter"):
        open_studio(home, {"look.beauty": 1.0})


def test_the_record_is_shown_checked_and_exported(stage: Stage, tmp_path: Path) -> None:
    stage.studio.store.commit({"look.opacity": 0.9})
    stage.studio.history.undo()
    stage.studio._trail.flush()
    desk = stage.studio.audit
    newest = desk.rows().result(WAIT_S)
    assert [row["action"] for row in newest[:2]] == ["settings.change", "settings.change"]
    assert newest[0]["seq"] > newest[1]["seq"]
    assert len(desk.rows(Filter(action="settings.change", limit=1)).result(WAIT_S)) == 1
    (report,) = desk.verify().result(WAIT_S)
    assert {report.outcome(verdict) for verdict in VERDICTS[:3]} == {Outcome.INTACT}
    manifest = desk.export(tmp_path / "export.zip").result(WAIT_S)
    assert (tmp_path / "export.zip").stat().st_size > 0
    assert manifest
    state = desk.state()
    assert (state.words, state.degraded, state.lost) == ("on record", False, 0)
    assert state.stored >= 3
    assert desk.unlocked
    assert not desk.code_wanted


def test_everyones_rows_want_the_operators_code(tmp_path: Path) -> None:
    home = tmp_path / "home"
    address = AuditHome(home).set_operator_code()
    with AuditHome(home).open_trail() as trail:
        trail.record("settings.change", "settings", "success", {"fields": {}}, user="somebody else")
    stage = Stage(home)
    stage.studio.store.commit({"look.opacity": 0.9})
    desk = stage.studio.audit
    assert (desk.code_wanted, desk.unlocked) == (True, False)
    stage.studio._trail.flush()
    assert len({row["user_id"] for row in desk.rows().result(WAIT_S)}) == 1
    with pytest.raises(OperatorCodeError):
        desk.unlock("000000").result(WAIT_S)
    assert desk.unlock(pyotp.parse_uri(address).now()).result(WAIT_S)
    assert desk.unlocked
    assert len({row["user_id"] for row in desk.rows().result(WAIT_S)}) == 2
    desk.export(tmp_path / "all.zip").result(WAIT_S)
    stage.studio.close()


def test_an_idle_studio_rests(stage: Stage) -> None:
    stage.loaded()
    stage.studio.library.refresh().result(WAIT_S)
    time.sleep(0.2)
    began_s, cpu_s = time.monotonic(), time.process_time()
    time.sleep(1.0)
    assert (time.process_time() - cpu_s) / (time.monotonic() - began_s) < 0.05
    assert stage.studio.state().phase is Phase.IDLE


def test_after_the_end_orders_do_nothing(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "home")
    stage.studio.close()
    stage.studio.start()
    stage.studio.choose_source("bo")
    stage.studio.store.commit({"look.opacity": 0.9})
    assert stage.studio.state().phase is Phase.IDLE
    assert isinstance(stage.studio, Studio)


def test_the_label_is_left_out_only_once_the_reason_is_on_record(stage: Stage) -> None:
    studio = stage.studio
    studio.store.commit({"label.show": False})
    assert studio.state().left_out_asked == ("label",)
    assert studio.state().left_out == ()
    studio.leave_out(" ")
    assert studio.state().left_out == ()
    assert any("for a reason only" in text for text in stage.notices())
    studio.leave_out("the broadcaster adds its own")
    stage.until(lambda: studio.state().left_out == ("label",), "left out")
    assert studio.state().left_out_reason == "the broadcaster adds its own"
    assert studio.state().left_out_asked == ()
    studio.store.commit({"label.mark": False})
    studio.leave_out(None)
    assert studio.store.current.label.mark
    assert not studio.store.current.label.show
    studio.history.undo()
    studio.history.undo()
    studio.history.undo()
    stage.until(lambda: studio.state().left_out == (), "back")
    stage.loaded()
    acts = [(row["action"], row["target"]) for row in stage.rows() if row["action"].startswith("label.")]
    assert acts == [("label.off", "label"), ("label.on", "label")]


def test_the_next_start_has_label_and_mark_again(stage: Stage) -> None:
    studio = stage.studio
    studio.store.commit({"label.show": False, "label.reason": "a reason", "label.corner": "top left"})
    stage.loaded()
    stage.loaded()
    kept = load_settings(stage.home.settings_file)
    assert kept.label.show
    assert kept.label.reason == ""
    assert kept.label.corner == "top left"


def test_the_next_start_looks_at_scenes_again(stage: Stage) -> None:
    stage.studio.store.commit({"content.check": False, "content.reason": "a life drawing", "content.threshold": 0.5})
    stage.loaded()
    stage.loaded()
    kept = load_settings(stage.home.settings_file)
    assert kept.content.check
    assert kept.content.reason == ""
    assert kept.content.threshold == 0.5


def test_a_nude_scene_is_withheld_told_and_shown_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    studio, said = stage.studio, [0.93]
    studio.store.commit({"content.calm_s": 1.0})
    stage.live()
    monkeypatch.setattr(NudityNet, "nudity", lambda *_: said[0])
    stage.until(lambda: Block.CONTENT in studio.state().blocks, "withheld")
    stage.until(lambda: studio.state().gate is GateState.SLATE, "slate")
    assert studio.state().content_problem == "the scene looks nude"
    studio.resume()
    assert studio.state().blocks == {Block.CONTENT}, "the end of a panic does not end it"
    stage.until(lambda: any("looks nude" in text for text in stage.notices()), "told")
    said[0] = 0.05
    stage.until(lambda: studio.state().gate is GateState.LIVE, "shown again")
    assert studio.state().content_problem == ""
    stage.until(lambda: any("shown again" in text for text in stage.notices()), "told")


def test_the_nudity_check_is_off_only_once_the_reason_is_on_record(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = stage.studio
    monkeypatch.setattr(NudityNet, "nudity", lambda *_: 0.93)
    studio.start()
    stage.until(lambda: studio.state().content_problem != "", "withheld")
    studio.store.commit({"content.check": False})
    assert studio.state().left_out_asked == ("content",)
    assert studio.state().blocks == {Block.CONTENT}
    studio.leave_out("a life drawing class")
    stage.until(lambda: studio.state().gate is GateState.LIVE, "live")
    assert studio.state().left_out == ("content",)
    studio.store.commit({"content.check": True})
    stage.until(lambda: studio.state().gate is GateState.SLATE, "withheld again")
    stage.until(lambda: studio.state().content_problem == "the scene looks nude", "judged again")
    stage.loaded()
    acts = [row["action"] for row in stage.rows() if row["action"].startswith("content.")]
    assert sorted(acts) == ["content.off", "content.on", "content.shut", "content.shut"]
