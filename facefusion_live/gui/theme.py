"""Dark and light: one small palette each, and the style sheet made from it.

Colours have names for what they mean. Widgets that paint ask `colours_of(self)`, which goes by the palette in force,
so that nothing has to be told when the theme changes: Qt repaints.
"""

import re
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

from PySide6.QtCore import QObject, Qt, QTemporaryDir, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from facefusion_live.app.environment import resource
from facefusion_live.gui.icons import draw_icon

Choice: TypeAlias = Literal["system", "dark", "light"]
CHOICES: tuple[Choice, ...] = ("system", "dark", "light")

FONT_PX = 13
"""Height of running text."""
TITLE_PX = 20
_WHERE_NOBODY_CHOSE = "DejaVu Sans"
"""What fontconfig falls back to on a bare machine: too wide for panels."""
_QUIETER = ("Inter", "Noto Sans", "Cantarell", "Ubuntu", "Noto Sans CJK SC")
_SHEET_ICONS = {"icon_close": "close", "icon_float": "float", "icon_down": "down", "icon_check": "check"}


@dataclass(frozen=True, slots=True)
class Colours:
    """One palette, as #rrggbb.

    Attributes:
        window: Behind everything.
        surface: Panels.
        raised: Buttons and tips.
        hover: Under the pointer.
        field: Where something is written.
        line: Between things.
        edge: Around small things that are clicked.
        text: Words.
        muted: Lesser words; still read easily on `surface`.
        faint: What cannot be used now.
        accent: Chosen, in focus.
        accent_hover: The same under the pointer.
        accent_soft: Behind what is chosen.
        on_accent: Words on `accent`.
        handle: Of sliders.
        danger: The panic button.
        danger_hover: The same under the pointer.
        on_danger: Words on `danger`.
        good: Went well.
        warning: Wants attention.
        error: Went wrong.
        live: On air, covered.
        hold: The last good picture.
        slate: The card.
        bare: Pass-through: a bare face may be on air.
        idle: No session.
        on_state: Words on any of the five.
        stage: Around the picture.
    """

    window: str
    surface: str
    raised: str
    hover: str
    field: str
    line: str
    edge: str
    text: str
    muted: str
    faint: str
    accent: str
    accent_hover: str
    accent_soft: str
    on_accent: str
    handle: str
    danger: str
    danger_hover: str
    on_danger: str
    good: str
    warning: str
    error: str
    live: str
    hold: str
    slate: str
    bare: str
    idle: str
    on_state: str
    stage: str


DARK = Colours(
    window="#121417",
    surface="#1a1d22",
    raised="#262a31",
    hover="#2e333b",
    field="#14171b",
    line="#2d3239",
    edge="#4a515c",
    text="#e7e9ec",
    muted="#9ea5b0",
    faint="#626a75",
    accent="#2f6fe0",
    accent_hover="#2a66d2",
    accent_soft="#22324d",
    on_accent="#ffffff",
    handle="#d5d9df",
    danger="#c93a40",
    danger_hover="#dc4b51",
    on_danger="#ffffff",
    good="#4cc38a",
    warning="#e5b045",
    error="#ff7b7f",
    live="#1f8a57",
    hold="#a86f08",
    slate="#4f6078",
    bare="#c2272f",
    idle="#30353d",
    on_state="#ffffff",
    stage="#0b0c0e",
)
LIGHT = Colours(
    window="#eceef1",
    surface="#fafbfc",
    raised="#ffffff",
    hover="#e6e9ee",
    field="#ffffff",
    line="#d6dae0",
    edge="#a3abb7",
    text="#1b1f25",
    muted="#586170",
    faint="#9aa2ae",
    accent="#2468d6",
    accent_hover="#1b58bb",
    accent_soft="#dde9fc",
    on_accent="#ffffff",
    handle="#ffffff",
    danger="#c2353b",
    danger_hover="#a92b31",
    on_danger="#ffffff",
    good="#177346",
    warning="#8f5f00",
    error="#b4232a",
    live="#1c8553",
    hold="#a06a05",
    slate="#55677f",
    bare="#c2272f",
    idle="#7d8795",
    on_state="#ffffff",
    stage="#d9dde3",
)


def colours_of(_widget: QWidget) -> Colours:
    """The palette that a widget is shown in."""
    # The application's, not the widget's own: there, a style sheet's `transparent` counts as black.
    return DARK if QApplication.palette().color(QPalette.ColorRole.Window).lightness() < 128 else LIGHT


class Theme(QObject):
    """Gives the application its colours, and follows the system while it is asked to. Thread: GUI."""

    changed = Signal()

    def __init__(self, app: QApplication, choice: Choice = "system") -> None:
        super().__init__(app)
        self._app = app
        self._choice: Choice = choice
        self._drawn = QTemporaryDir()
        app.setStyle("Fusion")
        app.setFont(_font(app.font()))
        app.styleHints().colorSchemeChanged.connect(self._apply)
        self.choose(choice)

    @property
    def choice(self) -> Choice:
        """What the user wants."""
        return self._choice

    @property
    def colours(self) -> Colours:
        """What is shown."""
        return DARK if self._dark() else LIGHT

    def choose(self, choice: Choice) -> None:
        """Show a theme, or what the system shows."""
        self._choice = choice
        schemes = {"dark": Qt.ColorScheme.Dark, "light": Qt.ColorScheme.Light, "system": Qt.ColorScheme.Unknown}
        self._app.styleHints().setColorScheme(schemes[choice])
        self._apply()

    def _dark(self) -> bool:
        if self._choice == "system":
            # A system that says nothing gets the dark one: beside a picture, a bright frame dazzles.
            return self._app.styleHints().colorScheme() is not Qt.ColorScheme.Light
        return self._choice == "dark"

    def _apply(self) -> None:
        colours = self.colours
        self._app.setPalette(_palette(colours))
        self._app.setStyleSheet(self._sheet(colours))
        self.changed.emit()

    def _sheet(self, colours: Colours) -> str:
        words = asdict(colours) | {"font_px": f"{FONT_PX}px", "title_px": f"{TITLE_PX}px"}
        for word, name in _SHEET_ICONS.items():
            colour = colours.on_accent if name == "check" else colours.muted
            words[word] = draw_icon(name, colour, 24, self._drawn.filePath(f"{name}-{colour[1:]}.png"))
        template = resource("resources/theme.qss").read_text("utf-8")
        return re.sub(r"@(\w+)", lambda found: words[found[1]], re.sub(r"/\*.*?\*/", "", template, flags=re.DOTALL))


def _palette(colours: Colours) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for which, colour in {
        role.Window: colours.window,
        role.WindowText: colours.text,
        role.Base: colours.field,
        role.AlternateBase: colours.surface,
        role.Text: colours.text,
        role.Button: colours.raised,
        role.ButtonText: colours.text,
        role.BrightText: colours.on_accent,
        role.ToolTipBase: colours.raised,
        role.ToolTipText: colours.text,
        role.PlaceholderText: colours.muted,
        role.Highlight: colours.accent,
        role.HighlightedText: colours.on_accent,
        role.Link: colours.accent,
        role.Light: colours.hover,
        role.Midlight: colours.raised,
        role.Mid: colours.line,
        role.Dark: colours.edge,
        role.Shadow: colours.window,
    }.items():
        palette.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(colours.faint))
    return palette


def _font(system: QFont) -> QFont:
    """The system's font; where nobody chose one, a narrower one that is there."""
    font = QFont(system)
    if QFontInfo(system).family() == _WHERE_NOBODY_CHOSE:
        there = set(QFontDatabase.families())
        font.setFamilies([name for name in _QUIETER if name in there] + [_WHERE_NOBODY_CHOSE])
    font.setPixelSize(FONT_PX)
    return font
