"""The studio on the real engine: what an operator does while live."""

import random
import socket
import threading
import time
import urllib.request
from pathlib import Path

import cv2
import numpy as np
import pytest

from facefusion_live.app.portraits import Consent
from facefusion_live.app.studio import Level, Phase
from facefusion_live.domain.errors import SinkError
from facefusion_live.domain.ports import GateState
from facefusion_live.engine.gate import Block
from tests.adapters.capture.senders import NetworkCamera
from tests.flow.studio.conftest import WAIT_S, Stage
from tests.support import RESOURCES

CLIP = RESOURCES / "demo" / "driver.mp4"
CHANGED = 6.0
"""Mean difference, of 255, of two faces in one picture."""


def face_of(stage: Stage, frozen: bool = False) -> np.ndarray:  # noqa: FBT001, FBT002
    """The pixels of the face in the next live picture."""
    view = stage.view(lambda view: view.state is GateState.LIVE and bool(view.faces) and view.frozen == frozen)
    left, top, right, bottom = np.rint(view.faces[0].box_px).astype(int)
    pixels = view.after.host()[top:bottom, left:right].astype(np.int16)
    view.release()
    return pixels


def test_from_start_to_panic_and_back(stage: Stage) -> None:
    stage.live()
    state = stage.studio.state()
    assert (state.phase, state.source and state.source.name, state.input.size_wh) == (Phase.LIVE, "Ada", (1280, 720))
    emitted = stage.session.report().frames_out
    stage.studio.panic()
    slated_from = stage.session.report().frames_out
    stage.until(lambda: stage.studio.state().gate is GateState.SLATE, "slate")
    assert slated_from - emitted <= 1
    assert stage.session.report().frames_out - slated_from <= 2
    stage.view(lambda view: view.state is GateState.SLATE).release()
    assert stage.studio.state().blocks == {Block.PANIC}
    stage.studio.resume()
    stage.until(lambda: stage.studio.state().gate is GateState.LIVE, "live again")
    assert stage.session.report().leaks == 0


def test_panic_outlives_the_session(stage: Stage) -> None:
    stage.studio.panic()
    stage.studio.start()
    stage.phase(Phase.LIVE)
    stage.until(lambda: stage.session.report().frames_out > 10, "pictures")
    assert set(stage.session.report().state_frames.values()) == {0, stage.session.report().state_frames["SLATE"]}


def test_another_face_between_two_frames(stage: Stage) -> None:
    stage.live()
    stage.studio.freeze(True)
    before = face_of(stage, frozen=True)
    stage.studio.freeze(False)
    faults = dict(stage.session.report().faults)
    stage.studio.choose_source("esi")
    stage.loaded()
    assert stage.studio.state().source.person_id == "esi"
    time.sleep(0.3)
    assert stage.session.report().faults == faults
    assert before.size
    loads = [row["metadata"]["input_sha256"] for row in stage.rows() if row["action"] == "source.load"]
    assert len(set(loads)) == 2
    stage.studio.choose_source("nobody")
    assert "that person is not here any more" in stage.notices()
    assert stage.studio.state().source.person_id == "esi"


def test_another_face_is_another_picture(stage: Stage, tmp_path: Path) -> None:
    picture = cv2.VideoCapture(str(CLIP)).read()[1]
    still = tmp_path / "still"
    still.mkdir()
    assert cv2.imwrite(str(tmp_path / "still.png"), picture)
    for index in range(300):
        (still / f"{index:03}.png").symlink_to(tmp_path / "still.png")
    stage.studio.choose_input(str(still))
    stage.live()
    ada = face_of(stage)
    stage.studio.choose_source("esi")
    stage.loaded()
    time.sleep(0.2)
    esi = face_of(stage)
    rows, columns = min(ada.shape[0], esi.shape[0]), min(ada.shape[1], esi.shape[1])
    assert np.abs(ada[:rows, :columns] - esi[:rows, :columns]).mean() > CHANGED


def test_a_frozen_picture_follows_the_slider(stage: Stage) -> None:
    stage.live()
    stage.studio.freeze(True)
    view = stage.view(lambda view: view.frozen)
    sharp, index = view.after.host().copy(), view.index
    view.release()
    emitted = stage.session.report().frames_out
    stage.studio.store.preview({"look.sharpness": 2.0})
    view = stage.view()
    assert (view.frozen, view.index, view.look.look.sharpness) == (True, index + 1, 2.0)
    assert np.abs(view.after.host().astype(int) - sharp).max() > 10
    view.release()
    stage.until(lambda: stage.session.report().frames_out > emitted + 5, "the output")
    assert stage.studio.state().frozen
    stage.studio.freeze(False)
    stage.view(lambda view: not view.frozen).release()


def test_another_input_and_one_that_fails(stage: Stage, tmp_path: Path) -> None:
    stage.live()
    session = stage.session
    stage.studio.choose_input(str(tmp_path / "nothing.mp4"))
    stage.loaded()
    assert stage.notices() == ["nothing.mp4: there is no such file"]
    assert (stage.session, stage.studio.state().input.spec) == (session, "synthetic")
    stage.studio.choose_input(str(CLIP))
    stage.loaded()
    assert (stage.session, stage.studio.state().input.name) == (session, "driver.mp4")
    stage.until(lambda: stage.studio.state().gate is GateState.LIVE, "the clip")
    small = tmp_path / "small.mp4"
    _small_clip(small)
    stage.studio.choose_input(str(small))
    stage.loaded()
    assert stage.studio.state().input.size_wh == (640, 360)
    assert stage.session is not session
    assert session.leases == 0
    stage.until(lambda: stage.studio.state().gate is GateState.LIVE, "the small clip")
    assert stage.studio.recent_inputs()[0] == str(small)


def _small_clip(path: Path) -> None:
    reading = cv2.VideoCapture(str(CLIP))
    writing = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 30, (640, 360))
    for _ in range(90):
        writing.write(cv2.resize(reading.read()[1], (640, 360), interpolation=cv2.INTER_AREA))
    writing.release()


def test_the_end_of_the_input_ends_the_session(stage: Stage, tmp_path: Path) -> None:
    small = tmp_path / "small.mp4"
    _small_clip(small)
    stage.studio.choose_input(str(small))
    stage.live()
    stage.phase(Phase.IDLE)
    assert stage.notices() == ["the input has ended"]


def test_an_input_that_cannot_be_opened_leaves_nothing_behind(stage: Stage, tmp_path: Path) -> None:
    stage.studio.choose_input(str(tmp_path / "nothing.mp4"))
    stage.studio.start()
    stage.loaded()
    assert (stage.studio.state().phase, stage.notices()) == (Phase.IDLE, ["nothing.mp4: there is no such file"])
    rows = [(row["action"], row["status"], row["target"]) for row in stage.rows() if "session" in row["action"]]
    assert rows == [("session.start", "failure", "file"), ("session.stop", "failure", "file")]
    stage.studio.choose_input("synthetic")
    stage.live()
    failed, live = (row["session_id"] for row in stage.rows() if row["action"] == "session.start")
    assert failed != live


def test_pass_through_is_armed_by_hand_and_on_record(stage: Stage) -> None:
    stage.studio.arm(pass_through=True)
    assert stage.told == []
    assert stage.notices() == ["nothing is live: there is nothing to pass through"]
    stage.live()
    assert not stage.studio.state().pass_armed
    stage.studio.arm(pass_through=True)
    stage.studio.arm(pass_through=True)
    stage.studio.store.commit({"look.opacity": 0.0})
    stage.until(lambda: stage.studio.state().gate is GateState.PASS, "pass")
    stage.studio.stop()
    stage.phase(Phase.IDLE)
    assert [action for action in stage.actions() if action.startswith("pass")] == ["passthrough.on", "passthrough.off"]
    stage.studio.start()
    stage.phase(Phase.LIVE)
    assert not stage.studio.state().pass_armed


def test_a_morph_is_many_pictures_and_one_row(stage: Stage) -> None:
    stage.studio.store.commit({"look.sharpness": 2.0, "mask.feather": 0.3})
    stage.studio.presets.save("Soft")
    stage.studio.history.undo()
    stage.live()
    revision = stage.studio.store.revision
    stage.studio.presets.morph("Soft", 0.5)
    stage.until(lambda: not stage.studio.presets.morphing, "the end of the morph")
    assert stage.studio.store.revision > revision + 5
    assert stage.studio.store.current.value("mask.feather") == 0.3
    assert stage.studio.history.done[0].name == "Soft"
    stage.studio.history.undo()
    changes = [row["metadata"]["fields"] for row in stage.rows() if row["action"] == "settings.change"]
    assert [len(fields) for fields in changes] == [2, 2, 2, 2]


def test_a_thousand_slider_moves_drop_no_session_and_every_row_is_accounted_for(stage: Stage) -> None:
    stage.live()
    drawn = random.Random(7)
    for move in range(1000):
        values = {
            "mask.feather": drawn.randrange(101) / 200,
            "look.match": drawn.randrange(101) / 100,
            "look.sharpness": drawn.randrange(41) / 20,
        }
        stage.studio.store.preview(values)
        if move % 2:
            stage.studio.store.commit()
    assert stage.studio.state().phase is Phase.LIVE
    stage.studio._trail.flush()
    stage.studio.stop()
    stage.phase(Phase.IDLE)
    stage.studio._trail.flush()
    counts = stage.studio._trail.counts
    assert counts.offered == counts.stored + counts.suppressed
    assert counts.suppressed > 300
    levels = {notice.level for notice in stage.studio.take_notices()}
    assert levels <= {Level.INFO}
    assert all(report.found == 0 for report in stage.studio.audit.verify().result(WAIT_S))


def test_sessions_come_and_go_without_a_trace(stage: Stage) -> None:
    names: list[list[str]] = []
    for _ in range(4):
        stage.live()
        session = stage.session
        stage.view().release()
        stage.studio.stop()
        stage.phase(Phase.IDLE)
        assert session.leases == 0
        names.append(sorted(thread.name for thread in threading.enumerate()))
    assert names[0] == names[-1]


def test_a_start_called_off_at_once(stage: Stage) -> None:
    stage.studio.start()
    stage.studio.stop()
    stage.phase(Phase.IDLE)
    assert stage.notices() == []
    stage.live()


def test_closing_while_live_takes_less_than_two_seconds(stage: Stage) -> None:
    stage.live()
    started_s = time.monotonic()
    stage.studio.close()
    assert time.monotonic() - started_s < 2
    assert stage.studio.state().phase is Phase.IDLE
    stage.studio.close()


def many_photos(folder: Path, count: int) -> Path:
    """A folder of pictures of one face, no two of them the same file."""
    folder.mkdir()
    data = (RESOURCES / "avatars" / "bo.jpg").read_bytes()
    for number in range(count):
        (folder / f"{number:03}.jpg").write_bytes(data + bytes([number]))
    return folder


def test_stop_and_forget_do_not_wait_for_photos(stage: Stage, tmp_path: Path) -> None:
    stage.live()
    (me,) = stage.studio.library.add([many_photos(tmp_path / "me", 1)], Consent.SELF).result(WAIT_S)
    stage.studio.choose_source(me.person_id)
    stage.loaded()
    adding = stage.studio.library.add([many_photos(tmp_path / "many", 200)], Consent.SELF)
    removing = stage.studio.library.remove(me.person_id)
    assert stage.studio.state().blocks == {Block.CONSENT}, "at once, whatever the loader does"
    removing.result(5)
    stage.studio.stop()
    stopped_s = time.monotonic()
    stage.phase(Phase.IDLE)
    assert time.monotonic() - stopped_s < 5
    assert not adding.done()
    closing_s = time.monotonic()
    stage.studio.close()
    assert time.monotonic() - closing_s < 2
    assert adding.cancelled()


def test_stop_does_not_wait_for_an_input_that_hangs(stage: Stage) -> None:
    stage.live()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        stage.studio.choose_input(f"http://127.0.0.1:{silent.getsockname()[1]}/silent.mjpg")
        time.sleep(0.3)
        stage.studio.stop()
        stopped_s = time.monotonic()
        stage.phase(Phase.IDLE)
        assert time.monotonic() - stopped_s < 3
    assert stage.notices() == []


def test_a_camera_that_is_pulled_is_told_and_told_again_when_it_is_back(stage: Stage, tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "still.jpg"), cv2.VideoCapture(str(CLIP)).read()[1])
    with NetworkCamera(tmp_path / "still.jpg") as camera:
        stage.studio.choose_input(camera.url)
        stage.live()
        assert stage.studio.state().input_problem == ""
        camera.pull()
        stage.until(lambda: stage.studio.state().input_problem, "the loss")
        stage.until(lambda: stage.studio.state().gate is GateState.SLATE, "the slate")
        stage.until(lambda: len(stage.notices()) == 1, "the notice")
        problem = stage.studio.state().input_problem
        assert problem.startswith("the input was lost: ")
        assert stage.told[0].text == problem
        assert stage.told[0].level is Level.WARNING
        time.sleep(1.5)
        camera.plug_in()
        stage.until(lambda: stage.studio.state().gate is GateState.LIVE, "live again")
        stage.until(lambda: "pictures come again" in stage.notices(), "the good news")
        assert len(stage.notices()) == 2, "each once, however often it was tried"
        assert stage.studio.state().input_problem == ""
        stage.studio.stop()
        stage.phase(Phase.IDLE)


def test_a_recording_is_on_record_first_and_by_its_sum(stage: Stage, tmp_path: Path) -> None:
    film = tmp_path / "new folder" / "film.mp4"
    stage.studio.start_recording(film)
    stage.loaded()
    assert stage.notices() == ["nothing is live"]
    stage.live()
    stage.studio.start_recording(film)
    stage.loaded()
    stage.until(lambda: stage.studio.state().recording.seconds > 1, "a second")
    stage.studio.pause_recording(True)
    assert stage.studio.state().recording.paused
    stage.studio.pause_recording(False)
    stage.studio.stop_recording()
    stage.loaded()
    assert stage.studio.state().recording is None
    rows = [row for row in stage.rows() if row["action"] == "export.video"]
    assert [row["metadata"]["phase"] for row in rows] == ["start", "end"]
    start = next(row for row in stage.rows() if row["action"] == "session.start")
    assert {(row["session_id"], row["target"]) for row in rows} == {(start["session_id"], start["target"])}
    assert cv2.VideoCapture(str(film)).read()[0]


@pytest.mark.parametrize("spec", ["carrier-pigeon"])
def test_an_output_that_does_not_exist_is_told(stage: Stage, spec: str) -> None:
    stage.live()
    stage.studio.add_output(spec)
    stage.loaded()
    assert stage.notices() == [f"there is no output {spec!r}"]
    assert stage.studio.state().outputs == {}


def test_a_snapshot_is_the_next_picture_that_goes_out(stage: Stage, tmp_path: Path) -> None:
    early = stage.studio.snapshot(tmp_path / "early.png")
    with pytest.raises(SinkError, match="nothing is live"):
        early.result(WAIT_S)
    stage.live()
    path = stage.studio.snapshot(tmp_path / "now.png").result(WAIT_S)
    assert cv2.imread(str(path)).shape == (720, 1280, 3)
    assert stage.studio.state().outputs == {}
    with pytest.raises(SinkError, match="of this kind"):
        stage.studio.snapshot(tmp_path / "now.gif").result(WAIT_S)


def test_an_output_is_added_remembered_and_removed_while_live(stage: Stage) -> None:
    stage.studio.add_output("mjpeg")
    stage.loaded()
    assert stage.studio.state().outputs == {}
    stage.live()
    stage.until(lambda: "mjpeg" in stage.studio.state().outputs, "the output")
    with urllib.request.urlopen(stage.studio.output_page("mjpeg"), timeout=WAIT_S) as page:  # noqa: S310 (loopback)
        assert page.status == 200
    stage.studio.remove_output("mjpeg")
    stage.loaded()
    assert stage.studio.state().outputs == {}
    stage.studio.stop()
    stage.phase(Phase.IDLE)
    stage.live()
    assert stage.studio.state().outputs == {}
    assert stage.notices() == []
