"""What every `LossBook` must do: the fake that the trail is tested with, and the file."""

from pathlib import Path

import pytest

from facefusion_live.adapters.storage.layout import Layout
from facefusion_live.adapters.storage.losses import FileLossBook
from facefusion_live.domain.audit.flood import Loss, LossAccount
from facefusion_live.domain.audit.ports import LossBook
from tests.fakes.audit import MemoryLossBook


def loss(action: str, *events: str) -> Loss:
    account = LossAccount()
    for index, event in enumerate(events):
        account.add(event, "x", "success", index)
    return Loss(action, account.settle())


@pytest.fixture(params=[MemoryLossBook, FileLossBook])
def book(request: pytest.FixtureRequest, tmp_path: Path) -> LossBook:
    return MemoryLossBook() if request.param is MemoryLossBook else FileLossBook(Layout(tmp_path))


def told(book: LossBook, *, takes: bool = True) -> list[Loss]:
    heard: list[Loss] = []
    book.settle(lambda each: heard.append(each) or takes)
    return heard


def test_an_empty_book_tells_nothing(book: LossBook) -> None:
    assert told(book) == []


def test_what_was_kept_is_told_once(book: LossBook) -> None:
    gap = loss("audit.gap", "label.off", "label.off", "consent.deny")
    assert book.keep([gap])
    assert (told(book), told(book)) == ([gap], [])


def test_what_nobody_takes_stays(book: LossBook) -> None:
    gap = loss("audit.gap", "label.off")
    book.keep([gap])
    assert (told(book, takes=False), told(book)) == ([gap], [gap])


def test_losses_of_one_kind_become_one(book: LossBook) -> None:
    first, second = loss("audit.gap", "label.off"), loss("audit.gap", "label.off", "label.on")
    book.keep([first])
    book.keep([second, loss("audit.suppressed", "settings.change")])
    gap, suppressed = told(book)
    assert (gap.action, gap.tally.counts) == ("audit.gap", {"label.off": 2, "label.on": 1})
    assert gap.tally.digest not in {first.tally.digest, second.tally.digest}
    assert (suppressed.action, suppressed.tally.total) == ("audit.suppressed", 1)
