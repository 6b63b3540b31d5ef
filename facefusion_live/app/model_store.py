"""The user's folder of models: what is there, what can be fetched, and how a file gets in: whole, or not at all.

A model's file is gathered beside its place, looked at, tried in a process of its own, and only then renamed into it.
Beside it lies `<file>.sha256`, as `sha256sum -c` reads it: the SHA-256 that the file had when it came. Where a card
knows no SHA-256 that is the only one, and says no more than that the file is still the one that was fetched first.
"""

import os
import shutil
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from facefusion_live.adapters.onnx import pins
from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.adapters.onnx.pins import sha256_of
from facefusion_live.adapters.storage.lock import WriterLock
from facefusion_live.adapters.web.download import HttpDownload, Told, Wanted, forget
from facefusion_live.domain.errors import BadInputError, ModelFileError, ModelStoreError
from facefusion_live.domain.model_card import ModelCard
from facefusion_live.domain.model_file import Graph, draws_a_person, misfit
from facefusion_live.domain.person_model import card_for

_RESERVE_BYTES = 64 * 1024**2
"""What a download leaves free on the disk."""
_RIGHTS = "Check the rights and the space of the folder of models."


@dataclass(frozen=True, slots=True)
class Entry:
    """A model that there is a card for.

    Attributes:
        card: What it is.
        path: Its file; None when it is not there.
        built_in: It belongs to the program.
        lacking: Ids of models that it needs and that are not there.
        changed: Its file is not the one that came: it does not run.
    """

    card: ModelCard
    path: Path | None
    built_in: bool
    lacking: tuple[str, ...]
    changed: bool = False

    @property
    def state(self) -> str:
        """In one or two words."""
        if self.path is None:
            return "not here"
        if self.changed:
            return "changed"
        if self.lacking:
            return "incomplete"
        return "built in" if self.built_in else "ready"


@dataclass(frozen=True, slots=True)
class Installed:
    """A file that got in.

    Attributes:
        card: Whose.
        path: Where it lies.
        sha256: Of the file.
        pinned: Nobody told its SHA-256 before: it was pinned now.
    """

    card: ModelCard
    path: Path
    sha256: str
    pinned: bool


@dataclass(frozen=True, slots=True)
class Recognised:
    """Whose file it is, and what that was told by, in words.

    Attributes:
        card: Of the model.
        by: What it was told by.
        made: The card as a table where there was none, to be written with the file.
        made_from: The model that it was made from here: its licence holds for both, and was accepted with it.
    """

    card: ModelCard
    by: str
    made: Mapping[str, object] | None = None
    made_from: ModelCard | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a model's file is what it must be, and why, in words."""

    model_id: str
    intact: bool
    words: str


class ModelStore:
    """Thread: any, one call at a time; other processes are kept out by a lock on each model.

    Args:
        folder: The user's models.
        catalog: All cards.
        look: Reads what a file says about itself; raises ModelFileError.
        try_out: Runs a model in a process of its own; raises ModelFileError.
        accepted: Puts on record that a licence was accepted; raises when that is not possible.
        derived: Puts on record that a model was made from another, and its SHA-256; raises as `accepted`.
        download: Fetches files.
    """

    def __init__(
        self,
        folder: Path,
        catalog: Catalog,
        *,
        look: Callable[[Path], Graph],
        try_out: Callable[[Path], None],
        accepted: Callable[[ModelCard], None],
        derived: Callable[[ModelCard, ModelCard, str], None],
        download: HttpDownload | None = None,
    ) -> None:
        self._folder, self._catalog = folder, catalog
        self._look, self._try_out, self._accepted, self._derived = look, try_out, accepted, derived
        self._download = download or HttpDownload()

    def entries(self) -> list[Entry]:
        """Every model with a card, by name."""
        return [self._entry(card) for card in self._catalog.cards()]

    def unreadable(self) -> dict[str, str]:
        """What is wrong with cards that cannot be read, by name."""
        return self._catalog.unreadable()

    def entry(self, model_id: str) -> Entry:
        """One model.

        Raises:
            ModelCardError: There is none, or its card cannot be read.
        """
        return self._entry(self._catalog.card(model_id))

    def lacking(self, model_id: str) -> list[ModelCard]:
        """What has to be fetched to use a model: itself and what it needs, as far as they are not there or changed.

        Raises:
            ModelCardError: There is no such model, or it needs one that there is no card for.
        """
        card = self._catalog.card(model_id)
        wanted = [card, *(self._catalog.card(needed) for needed in card.needs)]
        return [each for each in wanted if self._catalog.file(each) is None or self.changed(each)]

    def changed(self, card: ModelCard) -> bool:
        """Whether a model's file is there, and not the one that came: it does not run."""
        file = self._catalog.file(card)
        return file is not None and card.origin is None and pins.changed(card, file)

    def pull(self, card: ModelCard, told: Told) -> Installed:
        """Fetch a model whose licence the user has accepted.

        Args:
            card: Which.
            told: Hears how many bytes are there, and how many there will be.

        Raises:
            BadInputError: Nobody offers it for download.
            ModelStoreError: It could not be fetched, or there is no room. What arrived is kept for the next call.
            AuditStoreError: The acceptance cannot be put on record: nothing is fetched.
        """
        if not card.urls:
            where = f"Get it from {card.home} and call: " if card.home else "Get it and call: "
            advice = f"{where}facefusion-live models add FILE"
            raise BadInputError(f"{card.id} is not offered for download in this form", advice=advice)
        self._accepted(card)
        target = self._folder / card.file
        with self._writing(card):
            part = _beside(target, ".part")
            expected = card.sha256 or pins.pin_of(target)
            self._check_room(card.size, part)
            wanted = Wanted(card.urls, part, card.size, known=expected is not None)

            def heard(have: int, total: int | None) -> None:
                if total is not None:
                    self._check_room(total, part)
                told(have, total)

            self._download.fetch(wanted, lambda whole: self._wrong(whole, card, expected), heard)
            return self._install(part, target, card, pinned=expected is None)

    def recognise(self, file: Path, model_id: str | None = None) -> Recognised:
        """Whose file this is: by its SHA-256, by its name, or by the shape of its graph.

        Args:
            file: Anywhere.
            model_id: What the user says it is; None to find out.

        Raises:
            ModelFileError: It is no model, or none of a known kind, or of several.
            ModelCardError: There is no such model.
        """
        if not file.is_file():
            raise ModelFileError(f"there is no file {file.name}", advice="Give the path of a model's file.")
        graph, sha256 = self._look(file), sha256_of(file)
        if model_id is not None and (model_id in self._catalog or not draws_a_person(graph)):
            card = self._catalog.card(model_id)
            return Recognised(card, _fitting(card, graph, sha256))
        cards = [card for card in self._catalog.cards() if card.origin is None]
        for card in cards:
            if card.sha256 == sha256:
                return Recognised(card, "by its SHA-256")
        # Those of one person are alike in shape: by it alone another person would take the place of the first.
        fits = [card for card in cards if not card.is_person and not misfit(card, graph)]
        named = [card for card in fits if file.name == card.file or file.stem == card.id]
        if named:
            return Recognised(named[0], f"by its name and shape; its SHA-256 {_differs(named[0], sha256)}")
        if len(fits) == 1:
            return Recognised(fits[0], f"by its shape alone; its SHA-256 {_differs(fits[0], sha256)}")
        made = card_for(graph, sha256, file.stat().st_size, model_id)
        if made is not None and not fits:
            return Recognised(ModelCard.from_mapping(made), "by its shape: a model of one person", made)
        kinds = f"it could be {', '.join(card.id for card in fits)}" if fits else "it fits none of the cards"
        raise ModelFileError(
            f"{file.name} cannot be told by its SHA-256, name or shape: {kinds}",
            advice="Say which it is: --as MODEL. For a model of your own write a card first.",
        )

    def add(self, file: Path, recognised: Recognised) -> Installed:
        """Copy a file that the user already has, and whose licence they have accepted, into the folder.

        Of one that was made here from another model nobody is asked: only what it was made from is put on record.

        Raises:
            ModelFileError: It is not what it was recognised as any more, or does not run.
            ModelStoreError: It cannot be copied.
            AuditStoreError: The acceptance cannot be put on record: nothing is copied.
        """
        card, parent = recognised.card, recognised.made_from
        if parent is None:
            self._accepted(card)
        else:
            self._derived(card, parent, sha256_of(file))
        target = self._folder / card.file
        with self._writing(card):
            copy = _beside(target, ".adding")
            self._check_room(file.stat().st_size, copy)
            try:
                copy.unlink(missing_ok=True)  # what was left, or a link to somewhere else
                shutil.copyfile(file, copy)
                wrong = self._wrong(copy, card, None)
                if wrong:
                    raise ModelFileError(f"{file.name}: {wrong}", advice="Use the publisher's own file.")
                pinned = card.sha256 != sha256_of(copy)
                if recognised.made is not None:
                    write_card(recognised.made, self._folder)
                return self._install(copy, target, card, pinned=pinned)
            except OSError as error:
                raise ModelStoreError(f"{file.name} cannot be copied: {error.strerror}", advice=_RIGHTS) from error
            finally:
                copy.unlink(missing_ok=True)

    def verify(self, model_id: str) -> Verdict:
        """Whether a model's file is still what it was.

        Raises:
            ModelCardError: There is no such model.
        """
        entry = self.entry(model_id)
        card, path = entry.card, entry.path
        if path is None:
            return Verdict(card.id, intact=False, words="its file is not here")
        sha256, pin = sha256_of(path), pins.pin_of(path)
        if sha256 == card.sha256:
            return Verdict(card.id, intact=True, words="the file that its card tells of")
        if pin is None:
            wrong = "another file than its card tells of" if card.sha256 else ""
            return Verdict(card.id, intact=not wrong, words=wrong or "nobody told its SHA-256; it was never pinned")
        if sha256 != pin:
            return Verdict(card.id, intact=False, words="it has changed since it came, and does not run")
        other = "; another export than its card tells of" if card.sha256 else ""
        return Verdict(card.id, intact=True, words=f"unchanged since it came{other}")

    def remove(self, model_id: str) -> list[Path]:
        """Delete a model's file, and all that was kept with it. The card stays.

        Raises:
            BadInputError: It belongs to the program, or is not there.
            ModelStoreError: It cannot be deleted.
        """
        entry = self.entry(model_id)
        if entry.built_in:
            raise BadInputError(f"{model_id} belongs to the program", advice="It is needed, and stays.")
        target = self._folder / entry.card.file
        with self._writing(entry.card):
            kept = [target, *self._folder.glob(f"{entry.card.file}.*")]
            gone = [path for path in kept if path.is_file() and path.suffix != ".lock"]
            try:
                for path in gone:
                    path.unlink(missing_ok=True)
            except OSError as error:
                raise ModelStoreError(f"{target.name} cannot be deleted: {error.strerror}", advice=_RIGHTS) from error
        if not gone:
            raise BadInputError(f"{model_id} is not here", advice="See: facefusion-live models list")
        return gone

    def _entry(self, card: ModelCard) -> Entry:
        lacking = []
        for needed in card.needs:
            with suppress(BadInputError):
                if self._catalog.file(self._catalog.card(needed)) is not None:
                    continue
            lacking.append(needed)
        return Entry(
            card, self._catalog.file(card), card.origin is not None, tuple(lacking), changed=self.changed(card)
        )

    def _wrong(self, file: Path, card: ModelCard, expected: str | None) -> str:
        """What is wrong with a file that is to become a model's; nothing when it may."""
        if card.size is not None and expected is not None and file.stat().st_size != card.size:
            return f"has {file.stat().st_size} bytes, the card tells of {card.size}"
        if expected is not None and sha256_of(file) != expected:
            return "has another SHA-256 than it must have"
        try:
            unfit = misfit(card, self._look(file))
            if not unfit:
                self._try_out(file)
        except ModelFileError as error:
            return str(error)
        return unfit

    def _install(self, whole: Path, target: Path, card: ModelCard, *, pinned: bool) -> Installed:
        sha256 = sha256_of(whole)
        note = _beside(target, pins.ENDING)
        try:
            fresh = _beside(note, ".new")
            fresh.unlink(missing_ok=True)
            fresh.write_text(f"{sha256}  {target.name}\n", "utf-8")
            with whole.open("r+b") as file:
                os.fsync(file.fileno())
            fresh.replace(note)
            whole.replace(target)
        except OSError as error:
            raise ModelStoreError(f"{target.name} cannot be put in its place", advice=_RIGHTS) from error
        forget(_beside(target, ".part"))
        return Installed(card, target, sha256, pinned)

    def _check_room(self, size: int | None, part: Path) -> None:
        have = part.stat().st_size if part.exists() else 0
        lacking = (size or 0) - have + _RESERVE_BYTES - shutil.disk_usage(self._folder).free
        if size is not None and lacking > 0:
            name = part.name.removesuffix(".part").removesuffix(".adding")
            raise ModelStoreError(f"there is no room for {name}", advice=f"Make {lacking / 2**20:.0f} MiB free.")

    @contextmanager
    def _writing(self, card: ModelCard) -> Generator[None]:
        """The folder is there, and nobody else writes this model."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = WriterLock.take(self._folder / card.file)
        except OSError as error:
            raise ModelStoreError(f"{card.file} cannot be written: {error.strerror}", advice=_RIGHTS) from error
        if lock is None:
            raise ModelStoreError(f"{card.id} is being written by another process", advice="Wait until it has ended.")
        try:
            yield
        finally:
            lock.close()


def write_card(card: Mapping[str, object], folder: Path) -> None:
    """Write a model's card, whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    target = folder / f"{card['id']}.toml"
    fresh = target.with_suffix(".toml.new")
    fresh.write_text(tomli_w.dumps(card), "utf-8")
    fresh.replace(target)


def _fitting(card: ModelCard, graph: Graph, sha256: str) -> str:
    unfit = misfit(card, graph)
    if unfit:
        raise ModelFileError(f"that cannot be {card.id}: {unfit}", advice="Give another model, or another file.")
    return f"as you say, and its shape fits; its SHA-256 {_differs(card, sha256)}"


def _differs(card: ModelCard, sha256: str) -> str:
    if card.sha256 is None:
        return "is not known from the publisher"
    return "is the card's" if card.sha256 == sha256 else "is not the card's: it is another export, or another file"


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)
