"""Consent records: what holds, what does not, and who changed them."""

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facefusion_live.app.consents import ConsentBook, InUse
from facefusion_live.domain.consent import Claim, Consent, Grant, identity_of
from facefusion_live.domain.errors import ConsentError

SELF = Claim(Consent.SELF)
WRITTEN = Claim(Consent.WRITTEN, "Eve", "d" * 64, "2026-11-30")
PHOTO, COPY = "a" * 64, "b" * 64


def face(seed: int, drift: float = 0.0) -> bytes:
    """Somebody; with `drift` another picture of the same person."""
    vector = np.random.default_rng(seed).normal(size=128)
    vector /= np.linalg.norm(vector)
    other = np.random.default_rng(99).normal(size=128)
    vector = vector + drift * other / np.linalg.norm(other)
    return identity_of((vector / np.linalg.norm(vector)).astype(np.float32))


class Clock:
    now = "2026-11-26T10:00:00Z"

    def __call__(self) -> str:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(tmp_path: Path, clock: Clock) -> ConsentBook:
    return ConsentBook(tmp_path / "consent", clock)


def test_nobody_is_let_in_without_a_word(book: ConsentBook) -> None:
    with pytest.raises(ConsentError, match=r"eve\.jpg: nobody has said why this face may be used") as refused:
        book.permit(PHOTO, face(1), None, "eve.jpg")
    assert "self, written, licensed, generated, public-domain" in refused.value.advice
    assert book.grants() == ()


def test_a_word_is_kept_and_does_for_the_next_time(book: ConsentBook, tmp_path: Path) -> None:
    kept = book.permit(PHOTO, face(1), SELF, "eve.jpg")
    again = ConsentBook(tmp_path / "consent")
    assert again.permit(PHOTO, b"", None, "eve.jpg") == kept
    assert kept.granted == "2026-11-26T10:00:00Z"
    for name in ("records.json", "records.key"):
        assert stat.S_IMODE((tmp_path / "consent" / name).stat().st_mode) == 0o600


def test_another_picture_of_the_same_person_is_that_person(book: ConsentBook) -> None:
    kept = book.permit(PHOTO, face(1), SELF, "eve.jpg")
    assert book.permit(COPY, face(1, drift=0.8), None, "copy.jpg").id == kept.id
    assert book.permit(COPY, b"", None, "copy.jpg").photos == (PHOTO, COPY), "known from then on without a look"
    with pytest.raises(ConsentError, match="nobody has said why"):
        book.permit("c" * 64, face(2), None, "other.jpg")


def test_who_took_it_back_is_refused_in_every_picture(book: ConsentBook) -> None:
    book.revoke(book.permit(PHOTO, face(1), SELF, "eve.jpg"))
    for photo, identity in ((PHOTO, b""), (COPY, face(1, drift=0.8))):
        with pytest.raises(ConsentError, match="the consent was taken back on 2026-11-26") as refused:
            book.permit(photo, identity, SELF, "copy.jpg")
        assert "--renew" in refused.value.advice
    renewed = book.add(SELF, (COPY,), face(1))
    assert book.permit(PHOTO, face(1), None, "eve.jpg").id == renewed.id


def test_an_ended_consent_is_refused(book: ConsentBook, clock: Clock) -> None:
    book.permit(PHOTO, face(1), WRITTEN, "eve.jpg")
    clock.now = "2026-11-30T23:59:59Z"
    book.permit(PHOTO, face(1), None, "eve.jpg")
    clock.now = "2026-12-01T00:00:00Z"
    with pytest.raises(ConsentError, match="the consent ended on 2026-11-30"):
        book.permit(PHOTO, face(1), WRITTEN, "eve.jpg")


@pytest.mark.parametrize(
    "claim", [("Eve", "d" * 64, ""), ("", "d" * 64, "2027-01-31"), ("Eve", "", "2027-01-31"), ("Eve", "d", "soon")]
)
def test_a_written_consent_is_whole(claim: tuple[str, str, str]) -> None:
    with pytest.raises(ConsentError):
        Claim(Consent.WRITTEN, *claim)


def test_a_second_person_is_waited_for(book: ConsentBook) -> None:
    with pytest.raises(ConsentError, match="waits for a second person's approval") as refused:
        book.permit(PHOTO, face(1), SELF, "eve.jpg", approval=True)
    (kept,) = book.grants()
    assert f"facefusion-live consent approve {kept.id}" in refused.value.advice
    book.approve(kept)
    assert book.permit(PHOTO, face(1), None, "eve.jpg", approval=True).approved


def changed_name(table: Any) -> None:
    table["grants"][0]["claim"]["name"] = "Adam"


def longer(table: Any) -> None:
    table["grants"][0]["claim"]["until"] = "2099-01-01"


def unrevoked(table: Any) -> None:
    table["grants"][0]["revoked"] = "x"


def dropped(table: Any) -> None:
    table["grants"].pop()


def other_version(table: Any) -> None:
    table["version"] = 0


def swapped(table: Any) -> None:
    table["grants"].reverse()


@pytest.mark.parametrize("attack", [changed_name, longer, unrevoked, dropped, swapped, other_version])
def test_records_that_were_changed_let_nobody_in(
    attack: Callable[[Any], None], book: ConsentBook, tmp_path: Path
) -> None:
    book.permit(PHOTO, face(1), WRITTEN, "eve.jpg")
    book.permit(COPY, face(2), SELF, "adam.jpg")
    file = tmp_path / "consent" / "records.json"
    table = json.loads(file.read_text())
    attack(table)
    file.write_text(json.dumps(table))
    with pytest.raises(ConsentError, match="the consent records were changed"):
        book.permit(PHOTO, face(1), SELF, "eve.jpg")


@pytest.mark.parametrize(("what", "said"), [("records.json", "are gone"), ("records.key", "have lost their key")])
def test_records_that_are_gone_are_missed(what: str, said: str, book: ConsentBook, tmp_path: Path) -> None:
    book.permit(PHOTO, face(1), SELF, "eve.jpg")
    (tmp_path / "consent" / what).unlink()
    with pytest.raises(ConsentError, match=said):
        book.permit(PHOTO, face(1), SELF, "eve.jpg")


@pytest.mark.parametrize("junk", ["{", "[" * 100_000, "[]"])
def test_records_that_are_no_records(junk: str, book: ConsentBook, tmp_path: Path) -> None:
    book.permit(PHOTO, face(1), SELF, "eve.jpg")
    (tmp_path / "consent" / "records.json").write_text(junk)
    with pytest.raises(ConsentError, match="cannot be read"):
        book.grants()


def test_one_is_found_by_the_beginning_of_its_id(book: ConsentBook) -> None:
    kept = book.permit(PHOTO, face(1), SELF, "eve.jpg")
    assert book.one(kept.id[:4]) == kept
    for start in ("", "zz"):
        with pytest.raises(ConsentError, match="no one consent"):
            book.one(start)


def test_a_person_has_one_pseudonym_that_only_the_key_can_tell(book: ConsentBook, tmp_path: Path) -> None:
    one, other = book.permit(PHOTO, face(1), SELF, "a"), book.permit(COPY, face(2), SELF, "b")
    assert book.pseudonym(one) == ConsentBook(tmp_path / "consent").pseudonym(one) != book.pseudonym(other)
    assert book.pseudonym(one).startswith("hmac:")
    assert len(book.pseudonym(one)) == 21


def test_what_is_in_use_is_watched(book: ConsentBook, tmp_path: Path) -> None:
    kept = book.permit(PHOTO, face(1), SELF, "eve.jpg")
    watching = InUse(book, (kept,))
    assert watching.problem() == ""
    ConsentBook(tmp_path / "consent").revoke(kept)
    assert "was taken back" in watching.problem()
    nobody = InUse(book)
    assert nobody.problem() == ""


def test_what_was_taken_back_before_it_is_watched_is_missed_by_nobody(book: ConsentBook) -> None:
    kept = book.permit(PHOTO, face(1), SELF, "eve.jpg")
    book.revoke(kept)
    assert "was taken back" in InUse(book, (kept,)).problem()


def test_an_old_view_of_a_record_undoes_no_revocation(book: ConsentBook, tmp_path: Path) -> None:
    old = book.permit(PHOTO, face(1), SELF, "eve.jpg")
    ConsentBook(tmp_path / "consent").revoke(old)
    assert book.approve(old).revoked
    assert book.one(old.id).revoked


def test_a_revocation_between_look_and_note_holds(
    book: ConsentBook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = book.permit(PHOTO, face(1), SELF, "eve.jpg")
    look = ConsentBook.find

    def slow(self: ConsentBook, sha256: str, identity: bytes) -> Grant | None:
        found = look(self, sha256, identity)
        ConsentBook(tmp_path / "consent").revoke(kept)
        return found

    monkeypatch.setattr(ConsentBook, "find", slow)
    with pytest.raises(ConsentError, match="was taken back"):
        book.permit(COPY, face(1), None, "copy.jpg")
    assert book.one(kept.id).revoked
    assert book.one(kept.id).photos == (PHOTO,)


ADDS_PHOTOS = """
import sys
from pathlib import Path
from facefusion_live.app.consents import ConsentBook
from facefusion_live.domain.errors import ConsentError
book, identity = ConsentBook(Path(sys.argv[1])), bytes.fromhex(sys.argv[2])
print("go", flush=True)
for number in range(100_000):
    try:
        book.permit(f"{number:064x}", identity, None, "eve.jpg")
    except ConsentError as error:
        print(error)
        break
"""


def test_no_process_undoes_what_another_one_took_back(tmp_path: Path) -> None:
    for run in range(3):
        book = ConsentBook(tmp_path / str(run))
        kept = book.permit(PHOTO, face(1), SELF, "eve.jpg")
        program = [sys.executable, "-c", ADDS_PHOTOS, str(tmp_path / str(run)), face(1).hex()]
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as adding:
            assert adding.stdout is not None
            assert adding.stdout.readline() == "go\n"
            book.revoke(kept)
            assert "was taken back" in adding.stdout.read()
        assert book.one(kept.id).revoked


def test_an_unknown_face_is_like_nobody() -> None:
    grant = Grant("0" * 16, SELF, "2026-11-26T10:00:00Z", identity=face(1))
    assert grant.likeness(b"") == 0
    assert grant.likeness(face(1)) == pytest.approx(1)


def test_a_session_follows_the_person_and_not_the_record(book: ConsentBook, clock: Clock) -> None:
    first = book.permit(PHOTO, face(1), SELF, "eve.jpg")
    in_use = InUse(book, (first,))
    assert in_use.problem() == ""
    anew = book.add(SELF, (COPY,), face(1, drift=0.3))
    assert in_use.problem() == "", "given anew: it goes on"
    book.revoke(anew)
    assert in_use.problem() == "the consent was taken back on 2026-11-26"
    assert clock.now


def test_one_that_is_given_anew_and_waits_stops_a_session(book: ConsentBook) -> None:
    first = book.permit(PHOTO, face(1), SELF, "eve.jpg")
    book.approve(first)
    in_use = InUse(book, (first,), approval=lambda: True)
    assert in_use.problem() == ""
    book.add(SELF, (PHOTO,), face(1))
    assert in_use.problem() == "the consent waits for a second person's approval"


def test_who_took_it_back_stays_out_of_a_session_that_wears_the_old_one(book: ConsentBook) -> None:
    first = book.permit(PHOTO, face(1), SELF, "eve.jpg")
    in_use = InUse(book, (first,))
    book.revoke(first)
    book.add(SELF, (PHOTO,), face(1))
    assert in_use.problem() == "the consent was taken back on 2026-11-26"


def test_somebody_else_takes_nothing_over(book: ConsentBook) -> None:
    first = book.permit(PHOTO, face(1), SELF, "eve.jpg")
    other = book.add(SELF, (COPY,), face(2))
    in_use = InUse(book, (first,))
    book.revoke(other)
    assert in_use.problem() == ""
    assert book.find(PHOTO, b"") == first


def test_a_later_record_of_the_person_is_found_by_an_earlier_picture(book: ConsentBook) -> None:
    book.permit(PHOTO, face(1), SELF, "eve.jpg")
    anew = book.add(SELF, (COPY,), face(1, drift=0.3))
    assert book.find(PHOTO, b"") == anew
    assert book.find("c" * 64, b"") is None
