"""English and Chinese, switched while running. English is what the code says; resources/words holds the rest."""

from typing import Literal, TypeAlias

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QObject, QTranslator

from facefusion_live.app.environment import resource

Language: TypeAlias = Literal["system", "en", "zh_CN"]
LANGUAGES: tuple[Language, ...] = ("system", "en", "zh_CN")
OWN_NAMES = {"en": "English", "zh_CN": "简体中文"}
"""What speakers call their language."""


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
    """A word of the engine (a fault, a state of an output) in the language shown; as it is where nobody knows it."""
    return QCoreApplication.translate("Engine", text)
