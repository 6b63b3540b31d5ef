"""What whoever misses a part is told depends on the copy of the program."""

import sys

import pytest

from facefusion_live.domain.extras import advice_by_copy, is_frozen


def test_a_checkout_and_an_installed_wheel_have_pip() -> None:
    assert not is_frozen()
    assert advice_by_copy("pip install it.", "Do without.") == "pip install it."


def test_the_frozen_program_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert is_frozen()
    assert advice_by_copy("pip install it.", "Do without.") == "Do without."
