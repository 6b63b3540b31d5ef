"""Several people in one picture: the swap goes to whom it is meant for, and the wearer is never bare by mistake."""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.cli.main import run_command_line
from tests.flow.test_crowd import film, frames
from tests.support import shared_path

Picture = NDArray[np.uint8]
EDGE = 320
BOB, ALICE, CARL = range(3)
"""Places in three_faces.mp4, from the left; Alice is in hand_occlusion.mp4, too, and Bob in talk_turn.mp4."""
SHOWN = {"LIVE", "HOLD"}


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))


def clip(name: str) -> list[Picture]:
    return frames(shared_path(f"media/clips/{name}.mp4"))


def of(who: int, picture: Picture, edge: int = EDGE) -> Picture:
    return cv2.resize(picture[:, who * EDGE : (who + 1) * EDGE], (edge, edge), interpolation=cv2.INTER_AREA)


@pytest.fixture
def enrol(tmp_path: Path) -> Callable[[str, Picture], None]:
    def known(name: str, picture: Picture) -> None:
        path = tmp_path / f"{name}.png"
        cv2.imwrite(str(path), cv2.resize(picture, (640, 640), interpolation=cv2.INTER_CUBIC))
        assert run_command_line(["people", "enrol", name, str(path)]) == 0

    return known


def swapped(pictures: list[Picture], tmp_path: Path, *more: str) -> list[tuple[str, Picture]]:
    """What went out for each picture: the gate's state, and the pixels."""
    source, output, states = film(tmp_path / "in.mkv", pictures), tmp_path / "out.mkv", tmp_path / "states.csv"
    words = ["--source", "dan", "--input", str(source), "--output", str(output), "--frame-states", str(states)]
    assert run_command_line(["run", *words, "--offline", *more]) == 0
    told = [line.split(",")[1] for line in states.read_text().split()]
    return list(zip(told, frames(output), strict=True))


def changed(before: Picture, after: Picture, left: int, top: int = 0, edge: int = EDGE) -> float:
    """By how much the middle of a face was changed, in levels; below 2 it is bare."""
    rows, columns = (slice(start + edge * 4 // 10, start + edge * 6 // 10) for start in (top, left))
    return float(np.abs(before[rows, columns].astype(int) - after[rows, columns]).mean())


def test_each_person_gets_a_face_of_their_own_and_a_stranger_none(
    tmp_path: Path, enrol: Callable[[str, Picture], None]
) -> None:
    scene = clip("three_faces")[:24]
    enrol("alice", of(ALICE, scene[0]))
    enrol("bob", of(BOB, scene[0]))
    who = ["--swap.targets", "enrolled", "--map", "alice=esi"]
    one = swapped(scene, tmp_path, *who, "--map", "bob=bo")
    other = swapped(scene, tmp_path, *who, "--map", "bob=ada")
    assert [state for state, _ in one[:1]] == ["SLATE"]
    assert {state for state, _ in one[2:]} == {"LIVE"}
    (_, first), (_, second) = one[-1], other[-1]
    assert changed(first, second, BOB * EDGE) > 4
    assert changed(first, second, ALICE * EDGE) < 2
    assert all(changed(scene[-1], first, place * EDGE) > 4 for place in (BOB, ALICE, CARL))


def test_a_stranger_is_hidden_until_it_is_sure_who_they_are_not(
    tmp_path: Path, enrol: Callable[[str, Picture], None]
) -> None:
    scene = clip("three_faces")
    enrol("bob", of(BOB, scene[0]))
    out = swapped(scene, tmp_path, "--swap.targets", "enrolled", "--gate.bystanders", "keep")
    for place in (ALICE, CARL):
        bare = [index for index, (_, after) in enumerate(out) if changed(scene[index], after, place * EDGE) < 2]
        assert min(bare) >= 45, "a stranger was bare after less than a second and a half"
        assert bare == list(range(min(bare), 90)), "a stranger was hidden again"
    assert all(changed(scene[index], after, BOB * EDGE) > 2 for index, (_, after) in enumerate(out))


def test_a_hand_before_the_face_makes_nobody_a_stranger(tmp_path: Path, enrol: Callable[[str, Picture], None]) -> None:
    three, hand, talk = clip("three_faces"), clip("hand_occlusion"), clip("talk_turn")
    enrol("alice", of(ALICE, three[0]))
    enrol("bob", of(BOB, three[0]))
    scene = [np.hstack([bob, alice]) for bob, alice in zip(talk, hand, strict=False)]
    out = swapped(scene, tmp_path, "--swap.targets", "enrolled", "--gate.bystanders", "keep")
    uncovered = [
        index
        for index, (state, after) in enumerate(out)
        if state in SHOWN and min(changed(scene[index], after, left, 0, 480) for left in (0, 480)) < 2
    ]
    assert uncovered == []
    assert sum(state == "LIVE" for state, _ in out) > 60


def on_a_wall(pictures: list[Picture], photo: Picture) -> list[Picture]:
    """A person in a room with a larger photo, 480 pixels high and wide, on the wall at the left."""
    grain, made = np.random.default_rng(5), list[Picture]()
    for picture in pictures:
        scene = np.full((480, 800, 3), 120, np.uint8)
        scene[:, :480], scene[120:440, 480:] = cv2.resize(photo, (480, 480)), picture
        noisy = scene + grain.normal(0, 3, scene.shape)
        made.append(np.clip(noisy, 0, 255).astype(np.uint8))
    return made


@pytest.mark.parametrize("targets", ["largest", "enrolled"])
def test_a_larger_photo_on_the_wall_does_not_take_the_swap(
    targets: str, tmp_path: Path, enrol: Callable[[str, Picture], None]
) -> None:
    bob = [of(BOB, picture) for picture in clip("three_faces")]
    if targets == "enrolled":  # the photo is one of his own: by the face alone both are Bob
        enrol("bob", bob[0])
    photo = bob[0] if targets == "enrolled" else cv2.imread(str(shared_path("media/faces/sfhq_a_04.jpg")))
    scene = on_a_wall(bob, photo)
    out = swapped(scene, tmp_path, "--swap.targets", targets, "--gate.bystanders", "keep")
    assert {state for state, _ in out[3:]} <= SHOWN
    assert [state for state, _ in out[75:]] == ["LIVE"] * 15
    for index, (_, after) in enumerate(out):
        assert changed(scene[index], after, 480, 120) > 4, f"Bob is bare in frame {index}"
        assert changed(scene[index], after, 0, 0, 480) > 4, f"the photo, which may be the wearer, in frame {index}"
    wearing = [detail(after[240:340, 590:690]) > detail(after[200:340, 220:360]) for _, after in out]
    assert all(wearing[75:]), "the photo has the swap"
    assert not any(wearing[5:50])


def detail(picture: Picture) -> float:
    """How much there is to see: a veil shows nothing fine."""
    return float(cv2.Laplacian(cv2.GaussianBlur(picture, (0, 0), 1), cv2.CV_64F).var())


def test_people_who_cross_do_not_leave_the_wearer_bare(tmp_path: Path, enrol: Callable[[str, Picture], None]) -> None:
    three = clip("three_faces")
    enrol("alice", of(ALICE, three[0]))
    scene, places = list[Picture](), list[int]()
    for index in range(90):
        picture, step = np.full((EDGE, 960, 3), 120, np.uint8), np.clip(7 * index, 0, 600)
        picture[:, step : step + EDGE] = of(BOB, three[index])
        places.append(620 - int(step))
        picture[:, places[-1] : places[-1] + EDGE] = of(ALICE, three[index])
        scene.append(picture)
    out = swapped(scene, tmp_path, "--swap.targets", "enrolled", "--gate.bystanders", "keep")
    bare = [
        index
        for index, (state, after) in enumerate(out)
        if state == "LIVE" and changed(scene[index], after, places[index]) < 2
    ]
    assert bare == []
    assert sum(state == "LIVE" for state, _ in out) > 45


def test_who_is_known_is_told_kept_privately_and_forgotten(
    tmp_path: Path, enrol: Callable[[str, Picture], None], capsys: pytest.CaptureFixture[str]
) -> None:
    three = clip("three_faces")
    enrol("alice", of(ALICE, three[0]))
    enrol("alice", of(ALICE, three[40]))
    capsys.readouterr()
    assert run_command_line(["people", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["people"] == [
        {"name": "alice", "recogniser": "sface_2021dec_int8bq", "looks": 2}
    ]
    kept = tmp_path / "home" / "enrolled.toml"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    photo = tmp_path / "bob.png"
    cv2.imwrite(str(photo), cv2.resize(of(BOB, three[0]), (640, 640)))
    assert run_command_line(["people", "enrol", "alice", str(photo)]) == 2
    assert "not alice's" in capsys.readouterr().err
    assert run_command_line(["people", "forget", "alice"]) == 0
    assert "alice" not in kept.read_text()
    assert run_command_line(["people", "forget", "alice"]) == 2
    capsys.readouterr()
    assert run_command_line(["audit", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    told = [row for row in rows if row["action"].startswith("person.")]
    assert sorted(row["action"] for row in told) == ["person.enrol", "person.enrol", "person.forget"]
    assert "alice" not in json.dumps(told)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--swap.targets", "enrolled"], "nobody is enrolled"),
        (["--map", "alice=ada"], "nobody called 'alice' is enrolled"),
        (["--map", "alice"], "swap.map: 'alice' is not allowed"),
        (["--track.recogniser", "nothing"], "there is no recogniser 'nothing'"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    more: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(["run", "--source", "dan", "--input", "synthetic", "--frames", "3", *more]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert len(told.strip().splitlines()) == 1
