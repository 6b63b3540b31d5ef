"""People enrolled in a studio: known from one frame to the next, given faces, and forgotten with them."""

from pathlib import Path

import cv2
import numpy as np

from facefusion_live.app.portraits import Consent
from facefusion_live.domain.face import Face
from facefusion_live.domain.ports import GateState
from facefusion_live.engine.gate import Block
from tests.flow.studio.conftest import WAIT_S, Stage
from tests.support import RESOURCES


def own_photo(folder: Path) -> Path:
    """A portrait that is none of the built-in ones."""
    path = folder / "me.png"
    cv2.imwrite(str(path), cv2.flip(cv2.imread(str(RESOURCES / "avatars" / "esi.jpg")), 1))
    return path


def face(stage: Stage) -> Face:
    """The one face in the picture, once somebody has looked at it."""
    view = stage.view(lambda view: len(view.faces) == 1 and bool(view.faces[0].looks))
    seen = view.faces[0]
    view.release()
    return seen


def is_person(stage: Stage, name: str | None) -> None:
    stage.view(lambda view: [seen.person for seen in view.faces] == [name]).release()


def worn(stage: Stage) -> set[str]:
    return set(stage.studio._director._crew.wardrobe.worn().own)


def test_a_face_is_enrolled_given_a_face_and_forgotten_while_live(stage: Stage) -> None:
    stage.live()
    stage.studio.guests.enrol("Dan", face(stage)).result(WAIT_S)
    is_person(stage, "Dan")
    stage.studio.store.commit({"swap.targets": "enrolled"})
    stage.studio.guests.give_face("Dan", "bo")
    stage.until(lambda: worn(stage) == {"Dan"}, "the face of his own")
    stage.until(lambda: stage.studio.state().gate is GateState.LIVE, "live")
    (dan,) = stage.studio.state().guests
    assert (dan.name, dan.face, dan.looks > 0) == ("Dan", "bo", True)
    stage.studio.guests.forget("Dan").result(WAIT_S)
    stage.until(lambda: stage.studio.state().gate is GateState.SLATE, "slate")
    stage.until(lambda: stage.studio.state().fault == "nobody who is enrolled", "why")
    assert stage.studio.state().guests == ()
    assert stage.studio.store.current.swap.map == ""
    stage.until(lambda: worn(stage) == set(), "no face of his own")
    told = [row["metadata"] for row in stage.rows() if row["action"].startswith("person.")]
    assert "Dan" not in str(told)
    assert stage.session.report().leaks == 0


def test_whose_mapped_face_is_removed_gets_the_one_of_all_after_a_moment_of_slate(stage: Stage, tmp_path: Path) -> None:
    (added,) = stage.studio.library.add([own_photo(tmp_path)], Consent.LICENSED).result(WAIT_S)
    stage.live()
    stage.studio.guests.enrol("Dan", face(stage)).result(WAIT_S)
    stage.studio.guests.give_face("Dan", added.person_id)
    stage.until(lambda: worn(stage) == {"Dan"}, "the face of his own")
    removing = stage.studio.library.remove(added.person_id)
    assert stage.studio.state().blocks == {Block.CONSENT}, "at once, whatever the loader does"
    removing.result(WAIT_S)
    stage.until(lambda: stage.studio.state().gate is GateState.LIVE, "the face of all")
    assert worn(stage) == set()
    assert stage.studio.store.current.swap.map == ""
    assert stage.studio.state().blocks == frozenset()


def test_a_mapped_face_that_is_gone_is_told_and_left_out(stage: Stage) -> None:
    stage.studio.guests.give_face("Dan", "nobody")
    stage.loaded()
    stage.live()
    assert any(text.startswith("Dan gets the face that was chosen for all") for text in stage.notices())
    assert worn(stage) == set()


def test_a_face_that_nobody_looked_at_cannot_be_enrolled(stage: Stage) -> None:
    mesh = np.zeros((478, 3), np.float32)
    unseen = Face(np.zeros(4, np.float32), mesh[:5, :2], mesh, 1.0, 0, agreed=True)
    error = stage.studio.guests.enrol("Dan", unseen).exception(WAIT_S)
    assert str(error) == "nobody has looked at that face yet"
