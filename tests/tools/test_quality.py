"""The judge finds the damage that was done, and only that."""

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from facefusion_live.app.audit_wiring import close_shared_trail
from tests.support import RESOURCES, ROOT, shared_path
from tools import quality, quality_table
from tools.judge.films import BadFilmError, Film, Pair, pairs, read_states
from tools.judge.nets import Eyes
from tools.judge.sheet import Sheet
from tools.judge.verdict import Judge

SOURCE = RESOURCES / "avatars" / "ada.jpg"
CLIP = RESOURCES / "demo" / "driver.mp4"
FRAMES = 7
Picture = np.ndarray


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))
    yield
    close_shared_trail()


@lru_cache(maxsize=1)
def given() -> list[Picture]:
    reader = cv2.VideoCapture(str(CLIP))
    return [cv2.resize(reader.read()[1], (640, 360), interpolation=cv2.INTER_AREA) for _ in range(FRAMES)]


@lru_cache(maxsize=1)
def swapped() -> list[Picture]:
    """The clip with the source drawn opaquely over the face: nothing is left of the own one."""
    eyes = Eyes()
    sheet, source = Sheet(eyes), cv2.imread(str(SOURCE))

    def mesh(picture: Picture) -> Picture:
        return eyes.closer(picture, eyes.face(picture))

    return [sheet.worn(frame, mesh(frame), source, mesh(source)) for frame in given()]


def figures(made: list[Picture], states: list[str] | None = None, **options: bool) -> dict[str, Any]:
    judge = Judge(cv2.imread(str(SOURCE)), **options)
    states = states or ["LIVE"] * len(made)
    return judge.judge(Pair(a, b, state) for a, b, state in zip(given(), made, states, strict=True))


@lru_cache(maxsize=1)
def good() -> dict[str, Any]:
    return figures(swapped())


def test_a_full_swap_is_the_ceiling_and_no_leak() -> None:
    told = good()
    assert told["frames"] == told["frames_compared"] == told["shown"] == FRAMES
    assert told["leaks"] == 0
    assert told["changed_share_min"] == told["found"] == 1.0
    assert told["share_of_ceiling"] == pytest.approx(1.0)
    assert told["id_source"] > told["id_before"] + 0.2
    assert told["outside"] > 60
    assert told["fidelity"] < 0.05


def test_bare_frames_are_leaks() -> None:
    told = figures([*swapped()[:4], *given()[4:]])
    assert told["leaks"] == FRAMES - 4
    assert told["changed_share_min"] == 0.0


def test_a_bare_frame_that_is_not_said_to_be_covered_is_no_leak() -> None:
    told = figures([*swapped()[:-2], *given()[-2:]], ["LIVE"] * (FRAMES - 2) + ["SLATE", "PASS"])
    assert (told["leaks"], told["shown"]) == (0, FRAMES - 2)


def test_an_encoder_does_not_cover_a_face() -> None:
    coded = [cv2.imdecode(cv2.imencode(".jpg", frame)[1], cv2.IMREAD_COLOR) for frame in given()]
    told = figures(coded)
    assert told["leaks"] == FRAMES
    assert told["id_target"] > 0.9


def half(frame: Picture, own: Picture) -> Picture:
    out = frame.copy()
    middle = frame.shape[1] // 2
    out[:, :middle] = own[:, :middle]
    return out


def test_a_half_covered_face_is_a_leak() -> None:
    told = figures([half(a, b) for a, b in zip(swapped(), given(), strict=True)])
    assert told["leaks"] == FRAMES
    assert told["changed"] > 3
    assert 0.2 < told["changed_share_min"] < 0.9


def mixed(opacity: float) -> list[Picture]:
    return [cv2.addWeighted(worn, opacity, own, 1 - opacity, 0) for worn, own in zip(swapped(), given(), strict=True)]


@pytest.mark.parametrize("opacity", [0.2, 0.4, 0.6])
def test_a_face_that_shows_through_is_a_leak_although_all_of_it_was_changed(opacity: float) -> None:
    told = figures(mixed(opacity))
    assert told["changed_share_min"] > 0.9
    assert told["own_share_max"] == pytest.approx(1 - opacity, abs=0.05)
    assert told["leaks"] == FRAMES


def test_a_nearly_opaque_swap_is_none() -> None:
    told = figures(mixed(0.9))
    assert told["own_share_max"] == pytest.approx(0.1, abs=0.05)
    assert told["leaks"] == 0


def test_heads_on_their_side_are_seen_the_right_way_up() -> None:
    turned = [np.ascontiguousarray(np.rot90(frame, -1)) for frame in given()]
    eyes = Eyes()
    for frame in turned:
        mesh = eyes.closer(frame, eyes.face(frame))
        assert mesh[263, 1] - mesh[33, 1] > 0.9 * np.linalg.norm(mesh[263, :2] - mesh[33, :2])


def test_a_shifted_face_is_not_faithful() -> None:
    told = figures([np.roll(frame, 12, axis=1) for frame in swapped()])
    assert told["fidelity"] > 3 * good()["fidelity"]
    assert told["outside"] < good()["outside"] - 20


def test_noise_flickers() -> None:
    random = np.random.default_rng(5)
    noisy = [np.clip(frame + random.normal(0, 8, frame.shape), 0, 255).astype(np.uint8) for frame in swapped()]
    assert figures(noisy)["flicker"] > 2 * good()["flicker"]


def test_a_hard_edge_is_a_seam() -> None:
    dark = [np.where(a != b, a // 3, a).astype(np.uint8) for a, b in zip(swapped(), given(), strict=True)]
    assert figures(dark)["seam"] > 1.3 * good()["seam"]


def test_a_face_that_is_gone_is_not_found() -> None:
    told = figures([np.full_like(frame, 90) for frame in given()])
    assert told["found"] == 0
    assert told["id_source"] is told["share_of_ceiling"] is told["fidelity"] is None
    assert told["leaks"] == 0


def beside(left: list[Picture], right: list[Picture]) -> list[Picture]:
    """Two faces in one picture, the left one slightly larger."""
    return [
        np.hstack([a[:, 140:500], cv2.copyMakeBorder(cv2.resize(b[:, 140:500], (330, 330)), 0, 30, 0, 0, 0)])
        for a, b in zip(left, right, strict=True)
    ]


@pytest.mark.parametrize(("every_face", "leaks"), [(False, 0), (True, 2)])
def test_the_second_face_is_looked_at_when_asked(*, every_face: bool, leaks: int) -> None:
    judge = Judge(cv2.imread(str(SOURCE)), every_face=every_face)
    inputs = beside(given()[:2], given()[:2])
    outputs = beside(swapped()[:2], given()[:2])
    told = judge.judge(Pair(a, b, "LIVE") for a, b in zip(inputs, outputs, strict=True))
    assert told["leaks"] == leaks


def film(path: Path, frames: list[Picture]) -> Path:
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"FFV1"), 30, (width, height))
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


def flat(level: int) -> Picture:
    return np.full((64, 64, 3), level, np.uint8)


def test_states_say_which_input_belongs_to_which_output(tmp_path: Path) -> None:
    inputs = film(tmp_path / "in.avi", [flat(10 * index) for index in range(6)])
    outputs = film(tmp_path / "out.avi", [flat(200)] * 5)
    (tmp_path / "states.csv").write_text("0,SLATE,-1\n1,LIVE,0\n2,LIVE,2\n3,HOLD,2\n4,LIVE,5\n")
    rows = read_states(tmp_path / "states.csv")
    seen = [(int(pair.given[0, 0, 0]), pair.state) for pair in pairs(Film(inputs), Film(outputs), rows)]
    assert seen == [(0, "LIVE"), (20, "LIVE"), (20, "HOLD"), (50, "LIVE")]


def test_without_states_films_go_in_step_and_sizes_may_differ(tmp_path: Path) -> None:
    inputs = film(tmp_path / "in.avi", [flat(10), flat(20)])
    outputs = film(tmp_path / "out.avi", [cv2.resize(flat(level), (32, 32)) for level in (10, 20)])
    seen = list(pairs(Film(inputs), Film(outputs), None))
    assert [int(pair.made[5, 5, 0]) for pair in seen] == [10, 20]
    assert {pair.made.shape for pair in seen} == {(64, 64, 3)}


def test_the_command_prints_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inputs, outputs = film(tmp_path / "in.avi", given()), film(tmp_path / "out.avi", swapped())
    assert quality.main([str(SOURCE), str(inputs), str(outputs), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told.pop("frames_out") == FRAMES
    assert told == good()


@pytest.mark.parametrize(
    ("source", "clip", "words"),
    [
        (ROOT / "no.jpg", CLIP, "no.jpg"),
        (SOURCE, ROOT / "no.mp4", "no.mp4"),
        (RESOURCES / "slate.png", CLIP, "no face"),
    ],
)
def test_what_cannot_be_judged_is_told_in_one_line(
    source: Path, clip: Path, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert quality.main([str(source), str(clip), str(clip)]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rows", "words"),
    [("LIVE\n", "no list of states"), ("", "lists no frame"), ("0,LIVE,0\n1,LVIE,1\n", "do not exist: LVIE")],
)
def test_a_list_of_states_must_be_one(rows: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "states.csv").write_text(rows)
    with pytest.raises(BadFilmError, match=words):
        read_states(tmp_path / "states.csv")


@pytest.mark.parametrize(
    ("inputs", "outputs", "states", "words"),
    [
        (3, 2, 0, "output ends first, after 2"),
        (2, 3, 0, "input ends first, after 2"),
        (3, 2, 3, "output ends after 2 pictures; the list of states has 3"),
        (2, 3, 3, "input ends after 2 pictures; the list of states names number 2"),
        (3, 3, 2, "goes on after the 2"),
    ],
)
def test_films_that_do_not_belong_together_are_not_judged(
    inputs: int, outputs: int, states: int, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    films = [film(tmp_path / f"{name}.avi", [flat(90)] * count) for name, count in (("in", inputs), ("out", outputs))]
    rows = tmp_path / "states.csv"
    rows.write_text("".join(f"{index},LIVE,{index}\n" for index in range(states)))
    options = ["--states", str(rows)] if states else []
    assert quality.main([str(SOURCE), *map(str, films), *options]) == 2
    assert words in capsys.readouterr().err


def test_the_judge_agrees_with_the_teams_reference(tmp_path: Path) -> None:
    reference = shared_path("lab/quality_reference.py")
    inputs, outputs = film(tmp_path / "in.avi", given()), film(tmp_path / "out.avi", swapped())
    words = [sys.executable, str(reference), str(SOURCE), str(inputs), str(outputs)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    wanted = json.loads(done.stdout.splitlines()[-1])
    told = quality.judged(SOURCE, inputs, outputs, None)
    for name in ("frames", "frames_out", "found", "fidelity", "id_source", "id_target", "changed", "leaks", "seam"):
        assert told[name] == pytest.approx(wanted[name], abs=0.0015), name
    assert told["outside"] == pytest.approx(wanted["outside"], abs=0.1)


def test_the_table_has_a_row_for_every_input_and_source(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "faces").mkdir()
    cv2.imwrite(str(tmp_path / "faces" / "one.jpg"), cv2.imread(str(RESOURCES / "avatars" / "dan.jpg")))
    cv2.imwrite(str(tmp_path / "faces" / "none.jpg"), np.full((200, 200, 3), 128, np.uint8))
    quality_table.main([str(tmp_path), "--frames", "4", "--source", "ada"])
    out, err = capsys.readouterr()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in out.splitlines()[2:]]
    assert [row[:4] for row in rows] == [["driver", "ada", "4", "1.0"], ["faces", "ada", "1", "0.5"]]
    assert "none.jpg" in err


def test_the_judge_does_not_know_the_program() -> None:
    code = [ROOT / "tools" / "quality.py", *(ROOT / "tools" / "judge").glob("*.py")]
    assert len(code) == 10
    assert not [
        path.name
        for path in code
        if "import facefusion_live" in path.read_text() or "from facefusion_live" in path.read_text()
    ]
