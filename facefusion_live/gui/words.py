"""English and Chinese, switched while running. English is what the code says; resources/words holds the rest."""

import re
from typing import Literal, TypeAlias

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QObject, QTranslator

from facefusion_live.app.environment import resource
from facefusion_live.app.studio_state import StudioState
from facefusion_live.domain.settings import PARAMETERS
from facefusion_live.engine.gate import Block
from facefusion_live.engine.governing import Eased
from facefusion_live.gui import sentences
from facefusion_live.gui.advice import for_the_window
from facefusion_live.gui.widgets.setting_words import label

Language: TypeAlias = Literal["system", "en", "zh_CN"]
LANGUAGES: tuple[Language, ...] = ("system", "en", "zh_CN")
OWN_NAMES = {"en": "English", "zh_CN": "简体中文"}
"""What speakers call their language."""
_PATH = re.compile(r"\b[a-z_]+\.[a-z_]+\b")
_CHINESE = re.compile("[\u4e00-\u9fff]")
_BEGINS_WITH_A_WORD = re.compile(r"[a-z']+(,? |$)")
"""Not "clip.mp4: …", which is what the file is called."""


class Words(QObject):
    """Has every widget speak one language. Thread: GUI."""

    def __init__(self, app: QCoreApplication, language: Language = "system") -> None:
        super().__init__(app)
        self._app = app
        self._installed: list[QTranslator] = []
        self._language: Language = "en"
        self.speak(language)

    @property
    def language(self) -> Language:
        """What the user wants."""
        return self._language

    @property
    def spoken(self) -> Literal["en", "zh_CN"]:
        """What is shown."""
        if self._language == "system":
            return "zh_CN" if QLocale.system().language() is QLocale.Language.Chinese else "en"
        return self._language

    def speak(self, language: Language) -> None:
        """Use a language, or the system's; every widget gets a LanguageChange."""
        self._language = language
        for translator in self._installed:
            self._app.removeTranslator(translator)
        self._installed = []
        if self.spoken != "en":
            folder = str(resource("resources/words"))
            self._install("facefusion_live", folder)
            # Qt's own words: the buttons of file dialogs, the menu of a text field.
            self._install("qtbase", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath))
        QLocale.setDefault(QLocale(self.spoken))

    def _install(self, name: str, folder: str) -> None:
        translator = QTranslator(self)
        if translator.load(f"{name}_{self.spoken}", folder):
            self._app.installTranslator(translator)
            self._installed.append(translator)


def engine_words(text: str) -> str:
    """What the program says from below the window, in the language shown; as it is where nobody knows it.

    Parameters are called as their sliders are, and not as in the settings file; commands as their buttons.
    """
    text = for_the_window(text)
    return _PATH.sub(_label, sentences.translated(text, lambda each: QCoreApplication.translate("Engine", each)))


def block_words(state: StudioState) -> list[str]:
    """Why the gate is shut, whatever the faces: what is wrong with the scene in words of its own."""
    scene = {Block.CONTENT: state.content_problem} if state.content_problem else {}
    return sorted(engine_words(scene.get(block, block.value)) for block in state.blocks)


def eased_words(eased: Eased) -> str:
    """Why the governor leaves things out, and what, each in a line of its own; empty while nothing is left out."""
    return "\n".join(capitalised(engine_words(each)) for each in (eased.why, *eased.left_out) if each)


def capitalised(words: str) -> str:
    """Errors begin small: here they stand alone. A name at the beginning stays as it is."""
    return words[:1].upper() + words[1:] if _BEGINS_WITH_A_WORD.match(words) else words


def sentence(words: str) -> str:
    """The same with a full stop, where there is none."""
    words = capitalised(words)
    if _CHINESE.match(words[-1:]):
        return f"{words}。"
    return f"{words}." if words[-1:].isalnum() and not _CHINESE.search(words) else words


def _label(found: "re.Match[str]") -> str:
    row = PARAMETERS.get(found[0])
    return found[0] if row is None else QCoreApplication.translate("Words", '"{name}"').format(name=label(row))
