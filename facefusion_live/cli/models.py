"""`facefusion-live models …`: list, show, pull, add, verify, remove. Nothing is fetched unless somebody asks for it."""

import dataclasses
import json as json_format
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from facefusion_live.app.environment import resource, user_path
from facefusion_live.app.model_store import Entry, Installed, ModelStore
from facefusion_live.app.model_wiring import first_run, model_store
from facefusion_live.domain.errors import BadInputError
from facefusion_live.domain.model_card import ModelCard

models = App(name="models", help="Models that you bring: what there is, fetching it, checking it.")

_PIPE_COLUMNS = 200
_MIB = 1024 * 1024
_EXIT_DAMAGED = 3


@models.command(name="list")
def list_models(*, task: str = "", here: bool = False, json: bool = False) -> int:
    """Every model that there is a card for.

    Args:
        task: Only swapper, detector, landmarker, recogniser, enhancer, masker …
        here: Only those whose file is there.
        json: Print one JSON object.
    """
    store = model_store()
    entries = [each for each in store.entries() if task in ("", each.card.task) and (each.path or not here)]
    wrong = store.unreadable()
    if json:
        return _printed({"models": [_facts(entry) for entry in entries], "unreadable": wrong})
    table = Table("model", "task", "state", "size", "licence", box=None, pad_edge=False)
    for entry in entries:
        table.add_row(entry.card.id, entry.card.task, entry.state, _size(entry), entry.card.licence)
    Console(width=None if sys.stdout.isatty() else _PIPE_COLUMNS).print(table)
    for model_id, words in wrong.items():
        _say(f"the card {model_id}.toml was passed over: {words}")
    return 0


@models.command
def show(model: str, *, json: bool = False) -> int:
    """All that is known of a model.

    Args:
        model: Its name.
        json: Print one JSON object.
    """
    facts = _facts(model_store().entry(model))
    if json:
        return _printed(facts)
    for name, value in facts.items():
        print(f"{name:9} {', '.join(value) if isinstance(value, list) else value}")  # noqa: T201
    return 0


@models.command
def pull(model: str, *, accept_licence: bool = False, json: bool = False) -> int:
    """Fetch a model, and what it needs. Its licence is shown first, and that you accept it goes on record.

    A download that breaks off goes on where it stopped when the command is given again.

    Args:
        model: Its name.
        accept_licence: You have read the licences, and accept them.
        json: Print one JSON object at the end.
    """
    store = model_store()
    cards = store.lacking(model)
    for card in filter(store.changed, cards):
        _say(f"{card.file} has changed since it came: it is fetched anew")
    _licences(cards, accepted=accept_licence)
    installed = [_pulled(store, card) for card in cards]
    if json:
        return _printed({"installed": [_as_json(each) for each in installed]})
    for each in installed:
        print(_words(each))  # noqa: T201
    if not cards:
        print(f"{model} is here already.")  # noqa: T201
    return 0


@models.command
def add(
    file: Path,
    *,
    model: Annotated[str | None, Parameter(name="--as")] = None,
    accept_licence: bool = False,
    json: bool = False,
) -> int:
    """Take in a model's file that you have already. Whose it is, is told by its SHA-256, its name or its shape.

    Args:
        file: The file; it is copied.
        model: Which model it is, where that cannot be told.
        accept_licence: You have read its licence, and accept it.
        json: Print one JSON object at the end.
    """
    store, path = model_store(), user_path(file)
    recognised = store.recognise(path, model)
    _say(f"{path.name} is {recognised.card.id}: told {recognised.by}")
    _licences([recognised.card], accepted=accept_licence)
    installed = store.add(path, recognised)
    lacking = [card.id for card in store.lacking(installed.card.id)]
    if json:
        return _printed({"installed": [_as_json(installed)], "told_by": recognised.by, "lacking": lacking})
    print(_words(installed))  # noqa: T201
    if lacking:
        print(f"It needs {' and '.join(lacking)}, too: facefusion-live models pull {installed.card.id}")  # noqa: T201
    if installed.card.is_person:
        print(f"Say why that face may be used: facefusion-live consent grant {installed.card.id} --kind KIND")  # noqa: T201
    return 0


@models.command
def verify(model: str = "", *, json: bool = False) -> int:
    """Compare files with their SHA-256. Exit code 3 when one is not what it must be.

    Args:
        model: Which; all that are there by default.
        json: Print one JSON object.
    """
    store = model_store()
    wanted = [model] if model else [each.card.id for each in store.entries() if each.path]
    verdicts = [store.verify(each) for each in wanted]
    if json:
        _printed({"models": [{"id": v.model_id, "intact": v.intact, "words": v.words} for v in verdicts]})
    else:
        for verdict in verdicts:
            print(f"{'ok ' if verdict.intact else 'BAD'} {verdict.model_id}: {verdict.words}")  # noqa: T201
    return 0 if all(verdict.intact for verdict in verdicts) else _EXIT_DAMAGED


@models.command
def remove(model: str, *, json: bool = False) -> int:
    """Delete a model's file. Its card stays, so it can be fetched again.

    Args:
        model: Its name.
        json: Print one JSON object.
    """
    gone = [path.name for path in model_store().remove(model)]
    if json:
        return _printed({"removed": gone})
    print(f"Deleted: {', '.join(gone)}")  # noqa: T201
    return 0


@models.command
def optimise(model: str, *, to: Literal["fp16", "int8"] = "fp16", clip: Path | None = None, json: bool = False) -> int:
    """Make a smaller model beside one that is here, and tell size, speed and how far its answers lie apart.

    The new one is called MODEL_fp16 or MODEL_int8 and has a card of its own; the old one stays as it is.

    Args:
        model: A swapper, an enhancer, a detector or a landmarker.
        to: Half precision, for graphics cards; or eight bits, whose ranges are told by the clip.
        clip: A film of yours with a face; the demo clip by default.
        json: Print one JSON object.
    """
    from facefusion_live.app import model_optimiser  # noqa: PLC0415 (keeps the other commands quick)

    film = user_path(clip) if clip else resource("resources/demo/driver.mp4")
    made = model_optimiser.optimise(model_store(), model, to, str(film), _say)
    if json:
        told = dataclasses.asdict(made) | {"installed": _as_json(made.installed)}
        return _printed(told)
    print(  # noqa: T201
        f"{made.installed.card.id}: {made.bytes_before / _MIB:.1f} -> {made.bytes_after / _MIB:.1f} MiB; "
        f"{made.before_ms:.1f} -> {made.after_ms:.1f} ms a run on the processor, {made.speed:.2f} times as fast; "
        f"answers differ by {made.mean_difference:.2%} of their span on average, {made.largest_difference:.2%} at most "
        f"({made.examples} runs)."
    )
    return 0


@models.command(name="try", show=False)
def try_out(file: Path) -> int:
    """Run a model once, in this process.

    Args:
        file: The model.
    """
    first_run(file)
    return 0


def _licences(cards: Iterable[ModelCard], *, accepted: bool) -> None:
    """Show the licences; go on only if they are accepted.

    Raises:
        BadInputError: They are not, or nobody is there to be asked.
    """
    cards = list(cards)
    for card in cards:
        where = f"; read it at {card.terms_url}" if card.terms_url else ""
        _say(f"{card.id} by {card.vendor}: licence {card.licence}{where}")
    if accepted or not cards:
        return
    if not sys.stdin.isatty():
        raise BadInputError("the licence was not accepted", advice="Read it, then add --accept-licence.")
    print("Do you accept? Type yes: ", end="", file=sys.stderr, flush=True)  # noqa: T201
    if sys.stdin.readline().strip().lower() != "yes":
        raise BadInputError("the licence was not accepted", advice="Nothing was fetched.")


def _pulled(store: ModelStore, card: ModelCard) -> Installed:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    shown = sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not shown) as progress:
        task = progress.add_task(card.id, total=card.size)
        return store.pull(card, lambda have, total: progress.update(task, completed=have, total=total))


def _facts(entry: Entry) -> dict[str, Any]:
    card = entry.card
    return {
        "id": card.id,
        "task": card.task,
        "state": entry.state,
        "file": card.file,
        "size": entry.path.stat().st_size if entry.path else card.size or "",
        "sha256": card.sha256 or "",
        "vendor": card.vendor,
        "licence": card.licence,
        "terms": card.terms_url,
        "needs": list(card.needs),
        "lacking": list(entry.lacking),
        "urls": list(card.urls),
        "home": card.home or "",
    }


def _as_json(installed: Installed) -> dict[str, Any]:
    return {"id": installed.card.id, "sha256": installed.sha256, "pinned": installed.pinned}


def _words(installed: Installed) -> str:
    if not installed.pinned:
        return f"{installed.card.id} is here; its SHA-256 is the one that was told."
    return f"{installed.card.id} is here; nobody told this SHA-256 before, so it was pinned now: {installed.sha256}"


def _size(entry: Entry) -> str:
    size = entry.path.stat().st_size if entry.path else entry.card.size
    return "" if size is None else f"{size / _MIB:.1f} MiB"


def _say(words: str) -> None:
    print(f"facefusion-live: {words}", file=sys.stderr)  # noqa: T201


def _printed(data: dict[str, Any]) -> int:
    print(json_format.dumps(data, ensure_ascii=False))  # noqa: T201
    return 0
