"""What the program relies on in Qt's binding, and what its words owe to the code."""

import sys
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QToolButton

from tools.words import LANGUAGES, problems


class Redrawn(QToolButton):
    """A widget as the panels have hundreds of."""

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 (Qt's name)
        super().changeEvent(event)
        self.setIcon(QIcon())


def test_calls_that_return_nothing_take_nothing(qtbot: Any) -> None:
    """A binding that gives None back once too often ends the program after some minutes, where None can be freed."""
    button = Redrawn()
    qtbot.addWidget(button)
    before = sys.getrefcount(None)
    for _ in range(500):
        QCoreApplication.sendEvent(button, QEvent(QEvent.Type.LanguageChange))
    assert before - sys.getrefcount(None) < 250


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_is_translated_and_compiled(language: str) -> None:
    assert problems(language) == []
