"""Consents granted, approved and taken back by hand: what the commands do, with their rows."""

from dataclasses import replace
from pathlib import Path

from facefusion_live.app import portraits
from facefusion_live.app.audit_wiring import AuditHome
from facefusion_live.app.consents import ConsentBook
from facefusion_live.app.environment import Home, load_settings, user_path
from facefusion_live.app.permits import Permits, Told, check_day, document_sha256, facts, source_target
from facefusion_live.app.portraits import Source
from facefusion_live.app.second_person import SecondPerson
from facefusion_live.app.taken_back import revoked_consents
from facefusion_live.app.workshop import Workshop
from facefusion_live.domain.consent import Claim, Consent, Grant, successor
from facefusion_live.domain.errors import BadInputError, ConsentError
from facefusion_live.domain.person_model import PERSON_SUFFIX
from facefusion_live.engine.trail import AuditTrail, settled


class ConsentDesk:
    """Thread: one.

    Args:
        home: The user's files.
        trail: That of the running program; None opens one for each act.
    """

    def __init__(self, home: Home, trail: AuditTrail | None = None) -> None:
        self.book, self.second = ConsentBook(home.consent), SecondPerson(home, trail)
        self._audit, self._trail = AuditHome(home.data), trail
        self._settings_file = home.settings_file

    @property
    def approval(self) -> bool:
        """Whether a second person is asked for. Raises SettingsError, ConsentError."""
        return self.second.asked(load_settings(self._settings_file))

    def problems(self, *, approval: bool) -> dict[str, str]:
        """Why each consent does not hold today, by its id; "" for one that does. The audit log is asked, too.

        Args:
            approval: A second person must have confirmed them.

        Raises:
            ConsentError: The records cannot be used.
        """
        grants, today = self.book.grants(), self.book.today()
        gone = revoked_consents(self._audit) if grants else frozenset[str]()
        problems = {each.id: each.problem(today, approval=approval, taken_back=gone) for each in grants}
        for each in grants:
            if (later := successor(grants, each)) is not each and not problems[each.id]:
                problems[each.id] = f"given anew as {later.id}"
        return problems

    def grant(
        self,
        photo: Path,
        kind: Consent,
        *,
        name: str = "",
        document: Path | None = None,
        until: str = "",
        renew: bool = False,
    ) -> Grant:
        """Keep a consent for the person in a photo, or for a model of one person; its row comes first.

        Args:
            photo: In which exactly one face is seen; or a model's file (.dfm), or the name of one that is here.
            kind: Why it may be used.
            name: Whose face it is.
            document: The file in which it is written.
            until: The last day, "2027-01-31".
            renew: There was one that holds no longer: this one takes its place.

        Raises:
            BadInputError: The photo or the claim cannot serve, there is a consent already, or the old one was taken
                back and nobody says that it is given anew.
            AuditStoreError: It cannot be put on record.
        """
        claim = Told(kind, name, document, until).claim()
        source, identity = _face_of(photo, kind)
        known = self.book.find(source.sha256, identity)
        if known is not None and not renew:
            raise ConsentError(
                f"{source.name}: this person has consent {known.id} already",
                advice="Add --renew if the person gave it anew.",
            )
        return self._keep(self.book.draft(claim, (source.sha256,), identity))

    def renew(self, start: str, *, until: str, document: Path | None = None) -> Grant:
        """The person gave it anew: a new record takes the old one's place, which stays as it was.

        Args:
            start: How the id of the old one begins.
            until: The new last day, "2027-01-31"; "" for none.
            document: In which it is written now; None for the document of before.

        Raises:
            ConsentError: There is no such consent, or what was said does not do.
            AuditStoreError: It cannot be put on record.
        """
        old = self.book.one(start)
        check_day(until)
        before = old.claim.document_sha256, old.claim.document
        digest, called = (document_sha256(document), document.name) if document else before
        new = Claim(old.claim.kind, old.claim.name, digest, until, called)
        return self._keep(self.book.draft(new, old.photos, old.identity))

    def _keep(self, grant: Grant) -> Grant:
        photo = grant.photos[0]
        target, told = source_target(photo), dict[str, object](basis=grant.claim.kind.value, input_sha256=photo)
        told |= {"recorded": True, **facts(self.book, grant)}
        with self._audit.writing(self._trail) as trail:
            settled(trail.record_durably("consent.grant", target, "success", told))
            try:
                return self.book.keep(grant)
            except ConsentError:
                trail.record("consent.grant", target, "failure", told)
                raise

    def revoke(self, start: str) -> Grant:
        """Take a consent back; sessions that use the face show the slate.

        Args:
            start: How its id begins.

        Raises:
            ConsentError: There is no such consent, or the records cannot be used.
        """
        grant = self.book.one(start)
        with self._audit.writing(self._trail) as trail:
            Permits(self.book, trail).revoke(grant)
        return grant

    def approve(self, start: str, code: str) -> Grant:
        """Confirm a consent as the second person: the one who has the operator's code.

        Args:
            start: How its id begins.
            code: The operator's, at this moment.

        Raises:
            BadInputError: There is no such consent, or no operator's code was set up.
            OperatorCodeError: The code is wrong, or was used before.
            AuditStoreError: It cannot be put on record.
        """
        grant = self.book.one(start)
        if not self._audit.operator.is_set_up:
            raise BadInputError(
                "there is no operator's code", advice="The second person sets one up: facefusion-live audit key."
            )
        if not code:
            raise BadInputError("the operator's code is missing", advice="Give --code and the six digits.")
        with self._audit.writing(self._trail) as trail:
            self._audit.unlock(code, trail)
            told = {"approved": True, **facts(self.book, grant)}
            settled(trail.record_durably("consent.grant", f"consent:{grant.id}", "success", told))
        return self.book.approve(grant)


def _face_of(given: Path, kind: Consent) -> tuple[Source, bytes]:
    """What a consent is for, and the face in it as records keep it; a model of one person is known by its file alone.

    Raises:
        BadInputError: It cannot serve.
    """
    workshop, path = Workshop(), user_path(given)
    if path.suffix.lower() == PERSON_SUFFIX and path.is_file():
        return portraits.in_model(path, path.name, kind), b""
    if (own := workshop.own_face(str(given))) is not None:
        return replace(own, consent=kind), b""
    source = portraits.source(given, kind)
    if source.built_in:
        raise ConsentError("this is one of the built-in faces", advice="It may be used by anyone.")
    return source, workshop.identity(workshop.portrait(source))
