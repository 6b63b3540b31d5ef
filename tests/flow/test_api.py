"""The library as scripts use it: the examples run, the gate's rules hold, what is handed over stays apart."""

import doctest
import itertools
import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import facefusion_live
from facefusion_live import RealTimeFaceSwapper, api, detect_faces, process_video, swap_face
from facefusion_live.adapters.onnx import session as onnx_session
from facefusion_live.adapters.render_cpu import CpuCompute
from facefusion_live.app.audit_wiring import close_shared_trail
from facefusion_live.domain.errors import (
    BadInputError,
    CaptureOpenError,
    ConsentError,
    FaceFusionLiveError,
    InferenceError,
    SettingsError,
    SourceFaceError,
)
from facefusion_live.engine.gate import Gate
from tests.support import RESOURCES, ROOT

AVATARS = RESOURCES / "avatars"
CLIP = RESOURCES / "demo" / "driver.mp4"
CODE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))
    yield
    close_shared_trail()


def frames(count: int) -> list[np.ndarray]:
    reader = cv2.VideoCapture(str(CLIP))
    return [reader.read()[1] for _ in range(count)]


def dan() -> np.ndarray:
    return cv2.imread(str(AVATARS / "dan.jpg"))


def face_difference(a: np.ndarray, b: np.ndarray) -> float:
    """In the middle of the face of the demo clip."""
    return float(cv2.absdiff(a, b)[300:450, 560:720].mean())


def test_the_page_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "resources").symlink_to(RESOURCES)
    monkeypatch.chdir(tmp_path)
    examples = CODE.findall((ROOT / "docs" / "api.md").read_text("utf-8"))
    assert len(examples) >= 6
    names: dict[str, object] = {}
    for example in examples:
        exec(compile(example, "docs/api.md", "exec"), names)  # noqa: S102 (the page is ours)
    assert (tmp_path / "esi.mp4").stat().st_size > 10_000
    assert cv2.imread("shown.png").shape == (720, 1280, 3)


def test_the_examples_in_the_docstrings_are_true(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = doctest.testmod(api)
    assert result.attempted >= 8
    assert result.failed == 0


def test_importing_the_package_is_light() -> None:
    script = (
        "import json, sys, facefusion_live\n"
        "assert 'swap_face' in dir(facefusion_live) and facefusion_live.__version__\n"
        "print(json.dumps(sorted({'cv2', 'onnxruntime', 'av', 'numpy', 'PySide6'} & set(sys.modules))))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="swap_body"):
        facefusion_live.swap_body  # noqa: B018 (asking is the test)


def test_frames_are_swapped_and_the_callers_array_is_left_alone() -> None:
    clip = frames(4)
    kept = [frame.copy() for frame in clip]
    bare = {"label.show": False, "label.mark": False, "label.reason": "comparing pixels"}
    with RealTimeFaceSwapper("ada", settings=bare) as swapper:
        results = [swapper.process_frame(frame) for frame in clip]
    for given, before, result in zip(clip, kept, results, strict=True):
        assert result["success"]
        assert result["error_info"] is None
        assert np.array_equal(given, before)
        assert given.flags.writeable
        assert result["image"].flags.writeable
        assert face_difference(given, result["image"]) > 5
        assert cv2.absdiff(given, result["image"])[:, :300].max() == 0
    assert not any(np.shares_memory(a["image"], b["image"]) for a, b in itertools.combinations(results, 2))


def test_what_is_not_good_comes_back_held_and_then_as_the_slate() -> None:
    first, second = frames(2)
    bare = np.zeros_like(second)
    bare[:, :] = 127
    with RealTimeFaceSwapper("ada", settings={"gate.hold_ms": 10_000}) as swapper:
        good = swapper.process_frame(first)
        held = swapper.process_frame(bare)
        assert not held["success"]
        assert held["error_info"] == {"state": "HOLD", "reason": "face lost", "detail": ""}
        assert np.array_equal(held["image"], good["image"])
        swapper.set_parameters({"gate.hold_ms": 0})
        slate = swapper.process_frame(bare)
        assert slate["error_info"]["state"] == "SLATE"
        assert cv2.absdiff(slate["image"], bare).mean() > 10
        assert not np.array_equal(slate["image"], good["image"])


def test_a_transparent_swap_does_not_go_out() -> None:
    (first,) = frames(1)
    with RealTimeFaceSwapper("ada", settings={"look.opacity": 0}) as swapper:
        result = swapper.process_frame(first)
    assert (result["success"], result["error_info"]["state"]) == (False, "SLATE")
    assert result["error_info"]["reason"] == "not covered"
    assert face_difference(first, result["image"]) > 10


def test_another_size_begins_anew_and_the_pixelated_slate_has_it() -> None:
    (first,) = frames(1)
    with RealTimeFaceSwapper("ada", settings={"gate.slate": "pixelate"}) as swapper:
        assert swapper.process_frame(first)["success"]
        grey = np.full((200, 300, 3), 90, np.uint8)
        result = swapper.process_frame(grey)
        assert (result["success"], result["image"].shape) == (False, (200, 300, 3))
        assert result["error_info"]["reason"] == "no face"
        assert swapper.process_frame(first)["success"]


def test_a_stage_that_fails_is_told_and_nothing_leaks(monkeypatch: pytest.MonkeyPatch) -> None:
    run = onnx_session.NetSession.run

    def broken(net: onnx_session.NetSession, *tensors: Any) -> Any:
        if tensors[0].shape == (1, 224, 224, 3):  # the scene is still judged
            return run(net, *tensors)
        raise InferenceError("the net gave up")

    (first,) = frames(1)
    with RealTimeFaceSwapper("ada") as swapper:
        monkeypatch.setattr(onnx_session.NetSession, "run", broken)
        result = swapper.process_frame(first)
    assert not result["success"]
    assert result["error_info"] == {"state": "SLATE", "reason": "stage failed", "detail": "the net gave up"}
    assert face_difference(first, result["image"]) > 10


def on_record() -> list[tuple[str, str]]:
    """(action, status) of every row so far; the trail is closed by this."""
    close_shared_trail()
    out = subprocess.run(
        [sys.executable, "-m", "facefusion_live", "audit", "list", "--json"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    rows = [(row["action"], row["status"]) for row in json.loads(out)["rows"]]
    return [row for row in rows if not row[0].startswith("audit.")]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("step", ["compose", "offer"])
def test_whatever_breaks_into_a_picture_takes_no_memory_with_it(
    error: type[BaseException], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a handful of interrupted pictures nothing would go out any more."""

    def interrupted(*_: object) -> None:
        raise error

    pictures = frames(8)
    with RealTimeFaceSwapper("ada") as swapper:
        assert swapper.process_frame(pictures[0])["success"]
        before = swapper._open().leases
        with monkeypatch.context() as patched:
            place = CpuCompute if step == "compose" else Gate
            patched.setattr(place, step, interrupted)
            for picture in pictures[1:7]:
                with pytest.raises(error):
                    swapper.process_frame(picture)
        assert swapper._open().leases == before
        assert swapper.process_frame(pictures[7])["success"]


def test_live_pictures_leave_what_a_session_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise InferenceError("the net gave up")

    (first,) = frames(1)
    with RealTimeFaceSwapper(dan(), consent="generated") as swapper:
        assert swapper.process_frame(first)["success"]
        swapper.set_parameters({"mask.feather": 0.1})
        with monkeypatch.context() as change:
            change.setattr(onnx_session.NetSession, "run", broken)
            assert not swapper.process_frame(first)["success"]
    kept = on_record()
    actions = [action for action, _ in kept]
    expected = ["consent.grant", "source.load", "session.start", "settings.change", "frame.failed", "session.stop"]
    assert {action: actions.count(action) for action in expected} == dict.fromkeys(expected, 1), kept
    assert actions.index("consent.grant") < actions.index("source.load") < actions.index("session.start")
    assert ("frame.failed", "failure") in kept
    assert ("model.load", "success") in kept


def test_a_swapper_that_cannot_be_made_is_a_session_that_failed() -> None:
    with pytest.raises(ConsentError):
        RealTimeFaceSwapper(dan())
    kept = [row for row in on_record() if row[0].startswith(("consent.", "session."))]
    assert kept == [("consent.deny", "denied"), ("session.start", "failure"), ("session.stop", "failure")]


def test_single_pictures_leave_consent_and_loads() -> None:
    with pytest.raises(ConsentError):
        swap_face(dan(), AVATARS / "bo.jpg")
    for _ in range(2):
        swap_face(dan(), AVATARS / "bo.jpg", consent="generated")
        detect_faces(AVATARS / "bo.jpg")
    actions = [action for action, _ in on_record()]
    assert actions.count("consent.deny") == 1
    assert actions.count("consent.grant") == actions.count("source.load") == 2
    assert actions.count("model.load") == 6, "each of the six nets once"
    assert "frame.failed" not in actions


def test_without_a_record_nothing_is_opened() -> None:
    swap_face("ada", AVATARS / "bo.jpg", audit=False)
    detect_faces(AVATARS / "bo.jpg", audit=False)
    with RealTimeFaceSwapper("ada", audit=False) as swapper:
        assert swapper.process_frame(dan())["success"]
    assert on_record() == []


NO_PICTURES = {
    "nothing": None,
    "grey": np.zeros((100, 100), np.uint8),
    "four channels": np.zeros((100, 100, 4), np.uint8),
    "float": np.zeros((100, 100, 3), np.float32),
    "a few pixels": np.zeros((4, 4, 3), np.uint8),
}


@pytest.mark.parametrize("kind", NO_PICTURES)
def test_what_is_no_picture_is_refused(kind: str) -> None:
    with RealTimeFaceSwapper("ada") as swapper, pytest.raises(BadInputError, match="no picture") as caught:
        swapper.process_frame(NO_PICTURES[kind])
    assert "uint8" in caught.value.advice
    with pytest.raises(BadInputError, match="no picture"):
        detect_faces(NO_PICTURES[kind])


def test_calls_from_several_threads_wait_for_each_other() -> None:
    pictures, results = frames(1) * 6, list[bool]()
    with RealTimeFaceSwapper("ada") as swapper:

        def swap_all() -> None:
            results.extend(swapper.process_frame(picture)["success"] for picture in pictures)

        threads = [threading.Thread(target=swap_all) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == [True] * 24


def test_two_threads_that_capture_leave_no_camera_open() -> None:
    before = set(threading.enumerate())
    swapper = RealTimeFaceSwapper("ada", camera_index="synthetic:320x180:1x100", fps_limit=200)
    threads = [threading.Thread(target=swapper.capture_frame) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    swapper.cleanup()
    assert not [thread.name for thread in set(threading.enumerate()) - before if thread.name == "capture"]


def test_after_cleanup_it_is_closed_and_nothing_is_left() -> None:
    before = threading.active_count()
    swapper = RealTimeFaceSwapper("ada", camera_index="synthetic", fps_limit=120, audit=False)
    pictures = [swapper.capture_frame() for _ in range(3)]
    assert [picture.shape for picture in pictures] == [(720, 1280, 3)] * 3
    assert not np.array_equal(pictures[0], pictures[1])
    inner = swapper._swapper
    assert swapper.process_frame(pictures[0])["success"]
    assert inner.leases == 1  # the held picture
    swapper.cleanup()
    swapper.cleanup()
    assert inner.leases == 0
    assert threading.active_count() == before
    for act in (swapper.capture_frame, lambda: swapper.process_frame(dan())):
        with pytest.raises(BadInputError, match="cleaned up"):
            act()


def test_capture_ends_with_the_file(tmp_path: Path) -> None:
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 60, (64, 64))
    for level in range(3):
        writer.write(np.full((64, 64, 3), 80 * level, np.uint8))
    writer.release()
    with RealTimeFaceSwapper("ada", camera_index=str(tmp_path / "clip.avi"), fps_limit=1000) as swapper:
        seen = 0
        while swapper.capture_frame() is not None:
            seen += 1
    assert 1 <= seen <= 3


def test_a_camera_that_is_not_there() -> None:
    with RealTimeFaceSwapper("ada", camera_index=97) as swapper, pytest.raises(CaptureOpenError):
        swapper.capture_frame()


def test_tensorrt_is_not_pretended(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    real = onnx_session.ort.InferenceSession

    def without_tensorrt(path: str, options: object, providers: list[str], **words: object) -> object:
        """As on a machine without it: onnxruntime lists TensorRT, and the session comes up on the CPU."""
        return real(path, options, providers=[name for name in providers if name == onnx_session.CPU], **words)

    monkeypatch.setattr(onnx_session.ort, "InferenceSession", without_tensorrt)
    with pytest.raises(InferenceError, match="TensorRT does not work") as caught:
        RealTimeFaceSwapper("ada", use_tensorrt=True)
    assert "Install" in caught.value.advice
    assert capfd.readouterr() == ("", "")


def test_libraries_that_are_missing_are_told_in_our_words(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def missing(*_: object, **__: object) -> None:
        raise RuntimeError("Please install TensorRT libraries")

    monkeypatch.setattr(onnx_session.ort, "InferenceSession", missing)
    with pytest.raises(InferenceError, match="TensorRT does not work"):
        onnx_session.NetSession(RESOURCES / "models" / "blazeface_short.onnx", provider=onnx_session.TENSORRT)
    assert capfd.readouterr() == ("", "")


def test_a_provider_that_the_session_does_not_have_is_refused() -> None:
    with pytest.raises(InferenceError, match="NoSuchExecutionProvider does not work"):
        onnx_session.NetSession(RESOURCES / "models" / "blazeface_short.onnx", provider="NoSuchExecutionProvider")


REFUSED = {
    "no consent": (ConsentError, {"source_image": AVATARS / "ada.jpg", "consent": "perhaps"}),
    "pixels without consent": (ConsentError, {"source_image": cv2.imread(str(AVATARS / "dan.jpg"))}),
    "no file": (SourceFaceError, {"source_image": "somebody.jpg"}),
    "no face": (SourceFaceError, {"source_image": np.full((300, 300, 3), 9, np.uint8), "consent": "self"}),
    "no such parameter": (SettingsError, {"source_image": "ada", "settings": {"mask.fether": 1}}),
    "no frames": (BadInputError, {"source_image": "ada", "fps_limit": 0}),
    "frames beyond counting": (BadInputError, {"source_image": "ada", "fps_limit": 10**400}),
    "endless frames": (BadInputError, {"source_image": "ada", "fps_limit": float("inf")}),
    "frames that are no number": (BadInputError, {"source_image": "ada", "fps_limit": float("nan")}),
    "frames in words": (BadInputError, {"source_image": "ada", "fps_limit": "30"}),
    "no source": (BadInputError, {"source_image": None}),
    "a source of nothing": (BadInputError, {"source_image": []}),
    "a source among others": (BadInputError, {"source_image": ["ada", None]}),
    "a camera below nought": (BadInputError, {"source_image": "ada", "camera_index": -1}),
    "half a camera": (BadInputError, {"source_image": "ada", "camera_index": 0.5}),
    "a consent that is no word": (BadInputError, {"source_image": AVATARS / "ada.jpg", "consent": 3}),
    "settings in a list": (SettingsError, {"source_image": "ada", "settings": ["mask.feather"]}),
    "settings by number": (SettingsError, {"source_image": "ada", "settings": {1: 2}}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_with_advice(case: str) -> None:
    kind, words = REFUSED[case]
    with pytest.raises(kind) as caught:
        RealTimeFaceSwapper(**words)
    assert caught.value.advice


@pytest.mark.parametrize(
    "words",
    [
        {"frame_limit": 0},
        {"frame_limit": -1},
        {"frame_limit": 2.5},
        {"frame_limit": True},
        {"output": None},
        {"input": None},
        {"states": 3},
        {"on_progress": "loudly"},
    ],
    ids=str,
)
def test_a_film_that_cannot_be_made_is_refused_before_anything_is_opened(words: dict[str, Any], tmp_path: Path) -> None:
    wanted = {"source": "ada", "input": CLIP, "output": tmp_path / "out.mp4", **words}
    with pytest.raises(BadInputError) as caught:
        process_video(**wanted)
    assert caught.value.advice
    assert not (tmp_path / "out.mp4").exists()


def test_numpys_numbers_serve_as_pythons() -> None:
    settings = {"mask.feather": np.float32(0.08), "detect.every_n": np.int64(4), "capture.mirror": np.True_}
    with RealTimeFaceSwapper("ada", camera_index=np.int64(0), fps_limit=np.float64(25), settings=settings) as swapper:
        current = swapper._open().store.current
    assert current.mask.feather == pytest.approx(0.08)
    assert (current.detect.every_n, current.capture.mirror) == (4, True)
    assert type(current.detect.every_n) is int


def test_what_only_a_new_swapper_takes_is_refused_not_forgotten() -> None:
    with RealTimeFaceSwapper("ada") as swapper:
        before = swapper._open().store.current
        with pytest.raises(SettingsError, match="only a new swapper takes that"):
            swapper.set_parameters({"look.opacity": 0.95, "detect.model": "blazeface_short"})
        assert swapper._open().store.current is before
        swapper.set_parameters({"detect.model": before.detect.model, "look.opacity": 0.95})
        assert swapper._open().store.current.look.opacity == 0.95


@pytest.mark.parametrize("call", [lambda: swap_face("ada", None), lambda: detect_faces(None)])
def test_no_picture_is_refused(call: Callable[[], object]) -> None:
    with pytest.raises(BadInputError, match="None is no picture"):
        call()


def test_faces_are_found_largest_first_in_pixels_and_files() -> None:
    small = cv2.copyMakeBorder(cv2.resize(dan(), (300, 300)), 0, 212, 0, 0, cv2.BORDER_REPLICATE)
    both = np.hstack([small, dan()])
    faces = detect_faces(both)
    widths = [float(face.box_px[2] - face.box_px[0]) for face in faces]
    assert len(faces) == 2
    assert widths == sorted(widths, reverse=True)
    assert faces[0].box_px[0] > 300
    assert all(face.landmarks5_px.shape == (5, 2) and 0.5 <= face.score <= 1 for face in faces)
    assert both.flags.writeable
    assert len(detect_faces(AVATARS / "dan.jpg")) == 1
    assert detect_faces(np.full((200, 200, 3), 128, np.uint8)) == []


def test_one_picture_is_swapped() -> None:
    target = dan()
    swapped = swap_face(cv2.imread(str(AVATARS / "bo.jpg")), target, consent="generated")
    assert np.array_equal(target, dan())
    assert cv2.absdiff(swapped, target)[200:320, 200:320].mean() > 5
    assert np.array_equal(swapped, swap_face("bo", AVATARS / "dan.jpg"))


def test_a_picture_without_a_face_is_not_returned() -> None:
    with pytest.raises(BadInputError, match="no face") as caught:
        swap_face("ada", np.full((300, 300, 3), 128, np.uint8))
    assert caught.value.advice


def test_a_film_is_swapped_whole_with_progress(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    states = tmp_path / "states.csv"
    report = process_video(
        ["ada", cv2.imread(str(AVATARS / "ada.jpg"))],
        CLIP,
        tmp_path / "out.mkv",
        consent="generated",
        settings={"look.sharpness": 0},
        frame_limit=8,
        states=states,
        on_progress=lambda done, total: told.append((done, total)),
    )
    assert (report.frames_out, report.leaks, report.state_frames["LIVE"]) == (8, 0, 8)
    assert told[-1] == (8, 8)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert len(states.read_text().split()) == 8
    assert cv2.VideoCapture(str(tmp_path / "out.mkv")).read()[0]


def test_progress_may_end_the_work_and_the_file_is_closed(tmp_path: Path) -> None:
    class EnoughError(Exception):
        pass

    def enough(done: int, _: int | None) -> None:
        if done:
            raise EnoughError

    with pytest.raises(EnoughError):
        process_video("ada", CLIP, tmp_path / "out.mkv", on_progress=enough)
    assert cv2.VideoCapture(str(tmp_path / "out.mkv")).read()[0]


def test_a_film_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FaceFusionLiveError, match=r"none\.mp4"):
        process_video("ada", tmp_path / "none.mp4", tmp_path / "out.mkv")
