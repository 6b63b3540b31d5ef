"""Consent on the command line, in scripts and while live: kept, asked, ended, taken back, forged."""

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyotp
import pytest

from facefusion_live import RealTimeFaceSwapper, swap_face
from facefusion_live.app import permits, portraits
from facefusion_live.app.audit_wiring import AuditHome, close_shared_trail
from facefusion_live.app.consents import ConsentBook
from facefusion_live.app.environment import Home
from facefusion_live.app.permits import Permits
from facefusion_live.app.portraits import Consent
from facefusion_live.app.studio import open_studio
from facefusion_live.cli.main import run_command_line
from facefusion_live.domain.audit.errors import OperatorCodeError
from facefusion_live.domain.consent import Grant
from facefusion_live.domain.errors import BadInputError, ConsentError
from facefusion_live.domain.ports import GateState
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.gate import Block
from tests.flow.studio.conftest import WAIT_S, Stage
from tests.support import RESOURCES

CLIP = RESOURCES / "demo" / "driver.mp4"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"
    close_shared_trail()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Somebody who is no avatar."""
    path = tmp_path / "eve.png"
    assert cv2.imwrite(str(path), cv2.flip(cv2.imread(str(RESOURCES / "avatars" / "bo.jpg")), 1))
    return path


@pytest.fixture
def copied(tmp_path: Path, photo: Path) -> Path:
    """The same photo, cut, smaller, darker and encoded again: not one byte is the same."""
    picture = cv2.imread(str(photo))
    path = tmp_path / "copy.jpg"
    small = cv2.resize(picture[20:-10, 15:-20], None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    assert cv2.imwrite(str(path), (small * 0.85).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 60])
    return path


def run(source: Path, *words: str) -> int:
    return run_command_line(
        ["run", "--source", str(source), "--input", str(CLIP), "--offline", "--frames", "2", *words]
    )


def asked(*words: str) -> int:
    return run_command_line(["consent", *words])


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


def rows(capsys: pytest.CaptureFixture[str], action: str) -> list[dict[str, object]]:
    capsys.readouterr()
    assert run_command_line(["audit", "list", "--action", action, "--json"]) == 0
    return json.loads(capsys.readouterr().out)["rows"]


def only_id(home: Path) -> str:
    (grant,) = ConsentBook(home / "consent").grants()
    return grant.id


def test_asked_once_and_known_from_then_on(photo: Path, copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(photo) == 2
    assert "nobody has said why this face may be used" in told(capsys)
    assert run(photo, "--consent", "self") == 0
    assert run(photo) == 0
    assert run(copied) == 0, "a copied photo shows the same person"
    persons = {row["metadata"]["person"] for row in rows(capsys, "consent.grant")}
    assert len(persons) == 1
    assert persons.pop().startswith("hmac:")
    (denied,) = rows(capsys, "consent.deny")
    assert "nobody has said why" in denied["metadata"]["reason"]


def test_a_written_consent_names_its_document(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(photo, "--consent", "written") == 2
    assert "a written consent has a name, a document and a last day" in told(capsys)
    document = tmp_path / "signed.pdf"
    document.write_bytes(b"I agree. Eve.")
    words = ["grant", str(photo), "--kind", "written", "--name", "Eve", "--document", str(document)]
    assert asked(*words, "--until", "2099-01-31", "--json") == 0
    kept = json.loads(capsys.readouterr().out)
    assert run(photo) == 0
    assert asked(*words, "--until", "2099-01-31") == 2
    assert f"this person has consent {kept['id']} already" in told(capsys)
    assert asked("show", kept["id"][:5]) == 0
    assert "Eve" in capsys.readouterr().out
    assert asked("list") == 0
    assert "Eve" in capsys.readouterr().out
    assert all("Eve" not in json.dumps(row) for row in rows(capsys, "consent."))


def test_rows_tell_the_consent_that_is_kept_not_what_was_typed(
    photo: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked("grant", str(photo), "--kind", "self") == 0
    (granted,) = rows(capsys, "consent.grant")
    assert granted["metadata"]["consent_id"] == only_id(home)
    assert granted["metadata"]["person"].startswith("hmac:")
    assert run(photo, "--consent", "generated") == 0
    swap_face(photo, RESOURCES / "avatars" / "dan.jpg", consent="licensed")
    close_shared_trail()
    assert {row["metadata"]["consent"] for row in rows(capsys, "source.load")} == {"self"}


def test_no_consent_is_kept_without_a_record(photo: Path, home: Path) -> None:
    target = RESOURCES / "avatars" / "dan.jpg"
    with pytest.raises(ConsentError, match="a consent is kept on record only"):
        swap_face(photo, target, consent="self", audit=False)
    assert ConsentBook(home / "consent").grants() == ()
    swap_face(photo, target, consent="self")
    swap_face(photo, target, audit=False)


def test_a_grant_that_cannot_be_kept_is_told_as_failed(
    photo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_book: ConsentBook, _grant: Grant) -> Grant:
        raise ConsentError("the consent cannot be kept")

    monkeypatch.setattr(ConsentBook, "keep", full)
    assert asked("grant", str(photo), "--kind", "self") == 2
    assert sorted(str(row["status"]) for row in rows(capsys, "consent.grant")) == ["failure", "success"]


def test_an_ended_consent_is_refused(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    document = tmp_path / "signed.pdf"
    document.write_bytes(b"I agree.")
    words = ["grant", str(photo), "--kind", "written", "--name", "Eve", "--document", str(document)]
    with monkeypatch.context() as then:
        then.setattr(permits, "_today", lambda: date(2020, 1, 1))
        assert asked(*words, "--until", "2020-01-31") == 0
    assert run(photo, "--consent", "self") == 2
    said = told(capsys)
    assert "eve.png: the consent ended on 2020-01-31" in said
    assert "--kind written --name NAME --document FILE --until DAY --renew" in said
    assert asked(*words, "--until", "2099-01-31", "--renew") == 0, "as the advice says"
    assert run(photo) == 0


@pytest.mark.parametrize(
    ("name", "document", "until", "said"),
    [
        ("Eve", b"I agree.", "2026-99-99", "'2026-99-99' is no day"),
        ("Eve", b"I agree.", "9999-99-99", "'9999-99-99' is no day"),
        ("Eve", b"I agree.", "2027-02-29", "'2027-02-29' is no day"),
        ("Eve", b"I agree.", "2020-01-31", "2020-01-31 is over. Give today or a later day."),
        ("Eve", b"", "2099-01-31", "signed.pdf is empty"),
        (".", b"I agree.", "2099-01-31", "'.' is no name"),
    ],
)
def test_a_written_consent_says_something(
    name: str,
    document: bytes,
    until: str,
    said: str,
    photo: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "signed.pdf"
    file.write_bytes(document)
    words = ["--kind", "written", "--name", name, "--document", str(file), "--until", until]
    assert asked("grant", str(photo), *words) == 2
    assert said in told(capsys)


def test_who_took_it_back_is_refused_in_a_copy_too(
    photo: Path, copied: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(photo, "--consent", "self") == 0
    assert asked("revoke", only_id(home)) == 0
    for source in (photo, copied):
        assert run(source, "--consent", "generated") == 2
        assert "the consent was taken back on" in told(capsys)
    with pytest.raises(ConsentError, match="taken back"):
        swap_face(copied, RESOURCES / "avatars" / "dan.jpg", consent="self")
    assert len(rows(capsys, "consent.revoke")) == 1
    assert asked("grant", str(copied), "--kind", "self", "--renew") == 0
    assert run(photo) == 0


def test_a_forged_record_lets_nobody_in(photo: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(photo, "--consent", "self") == 0
    records = home / "consent" / "records.json"
    records.write_text(records.read_text().replace('"self"', '"licensed"'))
    assert run(photo) == 2
    assert "the consent records were changed: no face but the built-in ones may be used" in told(capsys)
    assert run(RESOURCES / "avatars" / "ada.jpg") == 0


def test_records_that_were_set_back_bring_no_consent_back(
    photo: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(photo, "--consent", "self") == 0
    records = home / "consent" / "records.json"
    before = records.read_bytes()
    assert asked("revoke", only_id(home)) == 0
    records.write_bytes(before)
    assert run(photo, "--consent", "self") == 2
    assert "eve.png: the consent was taken back, says the audit log" in told(capsys)
    with pytest.raises(ConsentError, match="says the audit log"):
        swap_face(photo, RESOURCES / "avatars" / "dan.jpg", consent="self")
    shutil.rmtree(home / "consent")
    assert run(photo, "--consent", "self") == 2
    assert "eve.png: the consent was taken back, says the audit log" in told(capsys)
    assert asked("grant", str(photo), "--kind", "self", "--renew") == 0
    assert run(photo) == 0


def test_a_second_person_confirms_with_the_operators_code(
    photo: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(photo, "--consent", "self", "--consent.approval", "on") == 2
    assert "waits for a second person's approval" in told(capsys)
    kept = only_id(home)
    assert asked("approve", kept) == 2
    assert "there is no operator's code" in told(capsys)
    address = AuditHome(home).set_operator_code()
    assert asked("approve", kept, "--code", "000000") != 0
    assert run(photo, "--consent.approval", "on") == 2
    assert asked("approve", kept, "--code", pyotp.parse_uri(address).now()) == 0
    assert run(photo, "--consent.approval", "on") == 0


def test_who_goes_without_the_second_person_is_on_record(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Home.from_environment().settings_file
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("[consent]\napproval = true\n")
    assert run(photo, "--consent", "self") == 2
    capsys.readouterr()
    assert asked("list", "--json") == 0
    (waiting,) = json.loads(capsys.readouterr().out)["consents"]
    assert (waiting["holds"], waiting["problem"]) == (False, "the consent waits for a second person's approval")
    assert asked("show", waiting["id"], "--json") == 0
    assert json.loads(capsys.readouterr().out) == waiting
    assert run(photo, "--consent.approval", "off") == 0
    (granted,) = rows(capsys, "consent.grant")
    assert (granted["metadata"]["approved"], granted["metadata"]["approval_asked"]) == (False, False)


def lock(home: Path) -> str:
    """A second person is asked for, and has a code: gives what makes the codes."""
    address = AuditHome(home).set_operator_code()
    assert asked("approval", "on") == 0
    return address


def approval_rows(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, Any, Any]]:
    changes = ((row["status"], row["metadata"].get("fields", [])) for row in rows(capsys, "settings.change"))
    return [
        (str(status), field["old"], field["new"])
        for status, fields in changes
        for field in fields
        if field["field"] == "consent.approval"
    ]


def test_the_second_person_is_not_switched_off_without_the_code(
    photo: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = lock(home)
    assert run(photo, "--consent", "self") == 2
    assert "waits for a second person's approval" in told(capsys)
    assert run(photo, "--consent.approval", "off") == 2
    assert "with the operator's code only" in told(capsys)
    Home.from_environment().settings_file.unlink()  # nor by who writes the settings by hand
    assert run(photo) == 2
    assert "waits for a second person's approval" in told(capsys)
    dan = RESOURCES / "avatars" / "dan.jpg"
    with pytest.raises(ConsentError, match="waits for a second person's approval"):
        swap_face(photo, dan)
    with pytest.raises(BadInputError, match="with the operator's code only"):
        swap_face(photo, dan, settings={"consent.approval": False})
    with pytest.raises(BadInputError, match="with the operator's code only"):
        RealTimeFaceSwapper(photo, settings={"consent.approval": False})
    close_shared_trail()
    assert asked("approval", "off") == 2
    assert asked("approval", "off", "--code", "000000") != 0
    assert asked("approval", "off", "--code", pyotp.parse_uri(address).now()) == 0
    capsys.readouterr()
    assert run(photo) == 0
    tries = approval_rows(capsys)
    assert tries[0] == ("success", False, True)
    assert tries[1:-1] == [("denied", True, False)] * 5
    assert tries[-1] == ("success", True, False)


def test_the_code_seals_that_a_second_person_was_asked_for_before(
    photo: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Asked for first, the code second, and the settings edited before anything else ran."""
    assert asked("approval", "on") == 0
    assert run_command_line(["audit", "key", "--set-operator-code"]) == 0
    settings = Home.from_environment().settings_file
    settings.write_text("[consent]\napproval = false\n", "utf-8")
    assert ConsentBook(home / "consent").approval
    assert run(photo, "--consent", "self") == 2
    assert "waits for a second person's approval" in told(capsys)


def test_given_anew_and_taken_back_is_taken_back_in_every_picture(
    photo: Path, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    smaller = tmp_path / "smaller.png"
    cv2.imwrite(str(smaller), cv2.resize(cv2.imread(str(photo)), None, fx=0.8, fy=0.8))
    assert asked("grant", str(photo), "--kind", "self") == 0
    assert run(smaller) == 0
    assert asked("grant", str(photo), "--kind", "self", "--renew") == 0
    first, second = ConsentBook(home / "consent").grants()
    capsys.readouterr()
    assert asked("list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)["consents"]
    assert [each["problem"] for each in listed] == [f"given anew as {second.id}", ""]
    assert asked("revoke", second.id) == 0
    for picture in (photo, smaller):
        assert run(picture) == 2
    permits = Permits(ConsentBook(home / "consent"), None)
    kept, problem = permits.kept([portraits.source(smaller, None).sha256])
    assert kept is not None
    assert kept.id == second.id
    assert "taken back" in problem
    with pytest.raises(ConsentError, match="taken back"):
        permits.check(portraits.source(smaller, None))
    assert first.id != second.id


def test_the_list_says_what_state_each_consent_is_in(
    photo: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(photo, "--consent", "self") == 0
    records = home / "consent" / "records.json"
    before = records.read_bytes()

    def state() -> str:
        capsys.readouterr()
        assert asked("list", "--json") == 0
        (found,) = json.loads(capsys.readouterr().out)["consents"]
        assert found["holds"] is (not found["problem"])
        assert found["granted_by"]
        return str(found["problem"])

    assert state() == ""
    lock(home)
    assert state() == "the consent waits for a second person's approval"
    assert asked("revoke", only_id(home)) == 0
    assert state().startswith("the consent was taken back on")
    records.write_bytes(before)
    assert state() == "the consent was taken back, says the audit log"


def test_a_consent_is_renewed_with_a_new_last_day(
    photo: Path, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = tmp_path / "signed.pdf"
    signed.write_bytes(b"signed")
    words = ["--kind", "written", "--name", "Eve", "--document", str(signed), "--until", "2026-01-31"]
    with monkeypatch.context() as then:
        then.setattr(permits, "_today", lambda: date(2026, 1, 1))
        assert asked("grant", str(photo), *words) == 0
    assert run(photo) == 2
    assert "the consent ended on 2026-01-31" in told(capsys)
    assert asked("renew", only_id(home), "--until", "2999-02-31") == 2
    assert asked("renew", only_id(home), "--until", "2026-01-31") == 2
    assert asked("renew", only_id(home), "--until", "2999-01-31") == 0
    assert run(photo) == 0
    old, new = ConsentBook(home / "consent").grants()
    assert (old.claim.until, new.claim.until) == ("2026-01-31", "2999-01-31")
    assert (new.claim.name, new.claim.document, new.photos) == ("Eve", "signed.pdf", old.photos)
    assert new.claim.document_sha256 == old.claim.document_sha256


def test_a_script_shows_the_slate_from_the_next_picture_on(photo: Path, home: Path) -> None:
    target = cv2.imread(str(RESOURCES / "avatars" / "dan.jpg"))
    with RealTimeFaceSwapper(photo, consent="self") as swapper:
        assert swapper.process_frame(target)["success"]
        book = ConsentBook(home / "consent")
        book.revoke(book.one(only_id(home)))
        after = swapper.process_frame(target)
        assert not after["success"]
        assert after["error_info"] is not None
        assert after["error_info"]["state"] == "SLATE"
        assert after["error_info"]["reason"].startswith("the consent was taken back on")
        other_size = swapper.process_frame(target[:480])
        assert not other_size["success"], "pictures of another size begin anew, and are refused, too"


@pytest.mark.parametrize("form", [["--json"], []])
def test_a_running_session_says_why_it_shows_the_slate(
    form: list[str], photo: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def take_back() -> None:
        book = ConsentBook(home / "consent")
        while not (grants := book.grants()):
            time.sleep(0.01)
        book.revoke(grants[0])

    meanwhile = threading.Thread(target=take_back)
    meanwhile.start()
    words = ["run", "--source", str(photo), "--consent", "self", "--input", str(CLIP), "--frames", "40"]
    assert run_command_line([*words, *form]) == 0
    meanwhile.join()
    said = capsys.readouterr()
    assert "facefusion-live: the consent was taken back on" in said.err
    if form:
        told = json.loads(said.out.splitlines()[-1])
        assert told["consent"]["problem"].startswith("the consent was taken back on")
        assert told["state_frames"]["SLATE"] > 0
    else:
        assert "Slate from then on: the consent was taken back on" in said.out


def test_another_photo_of_the_same_person_is_worn_with_the_first(photo: Path, copied: Path, home: Path) -> None:
    stage = Stage(home)
    try:
        added = stage.studio.library.add([photo, copied], Consent.SELF, together=True).result(WAIT_S)
        assert [each.problem for each in added] == [None, None]
        assert added[0].person_id is not None
        stage.studio.choose_source(added[0].person_id)
        stage.loaded()
        assert stage.notices() == []
        source = stage.studio.state().source
        assert source is not None
        assert source.person_id == added[0].person_id
        (grant,) = ConsentBook(home / "consent").grants()
        assert len(grant.photos) == 2
    finally:
        stage.studio.close()


def worn(stage: Stage, photo: Path) -> str:
    """Live with that face; gives the person's id."""
    (added,) = stage.studio.library.add([photo], Consent.SELF).result(WAIT_S)
    assert added.person_id is not None
    stage.studio.choose_source(added.person_id)
    stage.loaded()
    stage.live()
    return added.person_id


def noted(stage: Stage, over: Callable[[], bool]) -> list[GateState]:
    """The states of all pictures that the gate is asked for when the consent is over; it grows."""
    states = list[GateState]()
    release = stage.session.gate.release

    def watched(*given: Any) -> Any:
        late = over()
        frame = release(*given)
        if late:
            states.append(frame.state)
        return frame

    stage.session.gate.release = watched  # type: ignore[method-assign]
    return states


def test_taken_back_in_the_window_the_next_picture_is_the_slate(photo: Path, home: Path) -> None:
    stage = Stage(home)
    try:
        person = worn(stage, photo)
        states = noted(stage, lambda: Block.CONSENT in stage.session.gate.blocks)
        stage.studio.library.remove(person).result(WAIT_S)
        stage.until(lambda: len(states) > 5, "pictures after it")
        assert set(states) == {GateState.SLATE}
        revokes = [row for row in stage.rows() if row["action"] == "consent.revoke"]
        assert len(revokes) == 1
        (grant,) = ConsentBook(home / "consent").grants()
        assert grant.revoked
    finally:
        stage.studio.close()


def test_taken_back_by_another_process_the_next_picture_is_the_slate(photo: Path, home: Path) -> None:
    stage = Stage(home)
    try:
        person = worn(stage, photo)
        book = ConsentBook(home / "consent")
        before = book.stamp
        states = noted(stage, lambda: book.stamp != before)
        program = [sys.executable, "-m", "facefusion_live", "consent", "revoke", only_id(home)]
        subprocess.run(program, check=True, capture_output=True)
        stage.until(lambda: len(states) > 5, "pictures after it")
        assert set(states[1:]) == {GateState.SLATE}, "the first was past the question when the records changed"
        assert Block.CONSENT in stage.session.gate.blocks
        (again,) = stage.studio.library.add([photo], Consent.SELF).result(WAIT_S)
        assert again.problem is not None
        stage.studio.choose_source(person)
        stage.loaded()
        assert any("taken back" in text for text in stage.notices())
        stage.studio.choose_source("ada")
        stage.until(lambda: stage.studio.state().gate is GateState.LIVE, "live again")
    finally:
        stage.studio.close()


def test_in_the_window_a_consent_waits_is_approved_taken_back_and_renewed(photo: Path, home: Path) -> None:
    code = pyotp.parse_uri(AuditHome(home).set_operator_code())
    stage = Stage(home)
    studio = stage.studio
    try:
        studio.store.commit({"consent.approval": True})
        stage.loaded()
        (added,) = studio.library.add([photo], Consent.SELF).result(WAIT_S)
        assert added.person_id is not None
        person = added.person_id
        assert studio.library.person(person).withheld == "the consent waits for a second person's approval"
        studio.choose_source(person)
        stage.loaded()
        assert any("waits for a second person's approval" in text for text in stage.notices())
        with pytest.raises(OperatorCodeError):
            studio.consents.approve(person, "000000").result(WAIT_S)
        studio.consents.approve(person, code.now()).result(WAIT_S)
        assert studio.library.person(person).withheld == ""
        studio.choose_source(person)
        stage.loaded()
        stage.live()
        states = noted(stage, lambda: Block.CONSENT in stage.session.gate.blocks)
        studio.consents.revoke(person).result(WAIT_S)
        stage.until(lambda: len(states) > 5, "pictures after it")
        assert set(states) == {GateState.SLATE}
        assert studio.library.person(person).withheld.startswith("the consent was taken back on")
        studio.consents.renew(person, "2999-01-31", None).result(WAIT_S)
        renewed = studio.library.person(person)
        assert renewed.grant is not None
        assert renewed.grant.claim.until == "2999-01-31"
        assert renewed.withheld == "the consent waits for a second person's approval", "each consent, the new one, too"
    finally:
        studio.close()


def test_in_the_window_the_second_person_is_switched_off_with_the_code_only(photo: Path, home: Path) -> None:
    code = pyotp.parse_uri(AuditHome(home).set_operator_code())
    stage = Stage(home)
    studio = stage.studio
    try:
        studio.store.commit({"consent.approval": True})
        stage.loaded()
        studio.library.add([photo], Consent.SELF).result(WAIT_S)
        studio.store.commit({"consent.approval": False})
        stage.loaded()
        assert studio.state().approval_off_asked
        (person,) = (each for each in studio.library.people() if not each.built_in)
        studio.choose_source(person.id)
        stage.loaded()
        assert any("waits for a second person's approval" in text for text in stage.notices())
        with pytest.raises(OperatorCodeError):
            studio.consents.approval_off("000000").result(WAIT_S)
        studio.consents.approval_off(None).result(WAIT_S)
        assert studio.store.current.consent.approval
        assert not studio.state().approval_off_asked
        studio.store.commit({"consent.approval": False})
        studio.consents.approval_off(code.now()).result(WAIT_S)
        assert not studio.state().approval_off_asked
        assert studio.library.person(person.id).withheld == ""
        denied = [row for row in stage.rows() if (row["action"], row["status"]) == ("settings.change", "denied")]
        assert len(denied) == 1
    finally:
        studio.close()
    assert not open_studio_settings(home).consent.approval


def open_studio_settings(home: Path) -> Settings:
    """The settings that the next window begins with."""
    studio = open_studio(Home(home, home, home / "logs"), {})
    try:
        return studio.store.current
    finally:
        studio.close()


def test_a_window_begins_with_the_second_person_whatever_the_settings_file_says(home: Path) -> None:
    lock(home)
    Home.from_environment().settings_file.unlink()
    assert open_studio_settings(home).consent.approval


def test_a_changed_mark_of_the_second_person_is_found_out(
    photo: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(photo, "--consent", "self") == 0
    lock(home)
    records = home / "consent" / "records.json"
    records.write_text(records.read_text().replace('"approval": true', '"approval": false'))
    assert run(photo) == 2
    assert "the consent records were changed" in told(capsys)
