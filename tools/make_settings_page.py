"""Write docs/settings.md from the table of settings.

Usage: python -m tools.make_settings_page [--check]
"""

import sys
from itertools import groupby
from pathlib import Path

from facefusion_live.domain.parameter import Acts, Parameter
from facefusion_live.domain.settings import PARAMETERS, Settings

PAGE = Path(__file__).resolve().parents[1] / "docs" / "settings.md"
HEAD = """# Settings

Generated from `facefusion_live/domain/settings.py` by `python -m tools.make_settings_page`; do not edit.

Each parameter is a flag (`--mask.feather 0.08`) and a line in `settings.toml`:

```toml
[mask]
feather = 0.08
```

"""
WHEN = {Acts.RENDER: "next picture", Acts.INFERENCE: "next frame", Acts.SESSION: "next start"}


def page() -> str:
    """The whole page."""
    groups = groupby(PARAMETERS.values(), key=lambda row: row.group)
    return HEAD + "\n".join(_section(name, list(rows)) for name, rows in groups)


def _section(name: str, rows: list[Parameter]) -> str:
    about = type(getattr(Settings(), name)).__doc__ or ""
    table = ["| flag | default | allowed | takes effect | |", "|---|---|---|---|---|"]
    return "\n".join([f"## {name}", "", about, "", *table, *map(_line, rows), ""])


def _line(row: Parameter) -> str:
    return f"| `--{row.path}` | {_default(row)} | {row.expectation()} | {WHEN[row.acts]} | {row.words.help} |"


def _default(row: Parameter) -> str:
    if isinstance(row.default, bool):
        return "on" if row.default else "off"
    return str(row.default) or "nothing"


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if PAGE.read_text("utf-8") == page() else f"{PAGE.name} is out of date: run this without --check")
    PAGE.write_text(page(), "utf-8")
    print(PAGE)
