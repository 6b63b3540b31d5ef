"""`run` says in a line what is left out from now on, and that all is computed again."""

from facefusion_live.cli.live import _Show
from facefusion_live.engine.governing import Eased


def test_each_change_is_told_once() -> None:
    show = _Show(None, None)
    assert show.eased(Eased()) == []
    less = Eased(1, ("the enhancer rests",), "pictures come out late", 1, 1)
    assert show.eased(less) == ["pictures come out late: the enhancer rests"]
    assert show.eased(less) == []
    assert show.eased(Eased(lowest=1, steps=2)) == ["everything is computed again as it was chosen"]
