import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facefusion_live.app.portraits import Consent, Source
from facefusion_live.app.wardrobe import _KEPT, Wardrobe
from facefusion_live.domain.errors import SourceFaceError
from facefusion_live.domain.ports import Portrait
from tests.engine.jobs import face
from tests.fakes.pictures import CountedImage
from tests.fakes.swapper import FakeSwapper


class Counting:
    """An eye that counts how often it looks."""

    def __init__(self) -> None:
        self.looks = 0
        self.swapper = FakeSwapper()
        self.wardrobe = Wardrobe(self.look)

    def prepare(self, sources: tuple[Source, ...], wanted: Callable[[], bool] = lambda: True) -> Any:
        """Made ready for the engine of the test."""
        return self.wardrobe.prepare(sources, self.swapper, wanted)

    def look(self, source: Source) -> Portrait:
        if source.name == "none":
            raise SourceFaceError("no face was found")
        self.looks += 1
        return Portrait(CountedImage(), face())


def a_source(name: str) -> Source:
    return Source(Path(name), name, f"{name}-sum", Consent.SELF)


def test_nothing_is_worn_at_first() -> None:
    with pytest.raises(SourceFaceError, match="no source face was chosen"):
        Counting().wardrobe.worn()


def test_what_is_put_on_is_worn_until_the_next() -> None:
    desk = Counting()
    one, other = (desk.prepare((a_source(name),)) for name in ("one", "other"))
    desk.wardrobe.wear(one)
    assert desk.wardrobe.worn() is one
    desk.wardrobe.wear(other)
    assert desk.wardrobe.worn() is other


def test_what_is_not_wanted_any_more_is_left_half_done() -> None:
    desk = Counting()
    three = tuple(a_source(name) for name in ("one", "two", "three"))
    assert desk.prepare(three, lambda: desk.looks < 2) is None
    assert desk.looks == 2
    assert desk.prepare(three) is not None
    assert desk.looks == 5


def test_going_back_takes_no_time() -> None:
    desk = Counting()
    one = desk.prepare((a_source("one"),))
    desk.prepare((a_source("other"),))
    assert desk.prepare((a_source("one"),)).source is one.source
    assert desk.looks == 2


def test_only_so_many_are_kept_the_oldest_goes() -> None:
    desk = Counting()
    for number in range(_KEPT + 1):
        desk.prepare((a_source(str(number)),))
    desk.prepare((a_source("1"),))
    assert desk.looks == _KEPT + 1
    desk.prepare((a_source("0"),))
    assert desk.looks == _KEPT + 2


def test_a_face_that_may_not_be_used_any_more_is_not_kept() -> None:
    desk = Counting()
    desk.prepare((a_source("one"), a_source("two")))
    desk.wardrobe.forget(("two-sum",))
    desk.prepare((a_source("one"), a_source("two")))
    assert desk.looks == 4


def test_a_picture_without_a_face_changes_nothing() -> None:
    desk = Counting()
    one = desk.prepare((a_source("one"),))
    desk.wardrobe.wear(one)
    with pytest.raises(SourceFaceError):
        desk.prepare((a_source("none"),))
    assert desk.wardrobe.worn() is one


def test_another_engine_wants_the_face_made_ready_anew() -> None:
    desk = Counting()
    mine, other = desk.prepare((a_source("one"),)), FakeSwapper()
    other.name = "other"
    theirs = desk.wardrobe.prepare((a_source("one"),), other)
    assert theirs is not None
    assert (mine.swapper, theirs.swapper) == (desk.swapper, other)
    assert desk.looks == 2


def test_an_engine_that_nobody_wears_is_let_go() -> None:
    desk, engine = Counting(), FakeSwapper()
    engine.name = "large"
    gone = weakref.ref(engine)
    desk.wardrobe.wear(desk.wardrobe.prepare((a_source("one"),), engine))
    del engine
    desk.wardrobe.wear(desk.prepare((a_source("one"),)))
    gc.collect()
    assert gone() is None
