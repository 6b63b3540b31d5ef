"""Third-party notices, made from the files that really went into the frozen folder."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

from release import inner
from release.bundle import Entry
from release.inner import TEXTS

_LICENCE_FILE = re.compile(r"(?i)(licen[cs]e|copying|notice|third.?party|authors)").match
_GPL_CODECS: Final = ("libx264", "libx265")
_BY_NAME: Final = {"LGPL-3.0": ("LGPL-3.0.txt", "GPL-3.0.txt"), "Apache": ("../../resources/licences/Apache-2.0.txt",)}
_LINE: Final = "=" * 100

_HEAD: Final = """\
THIRD-PARTY NOTICES of this copy of FaceFusion Live {version}

FaceFusion Live itself is licensed under Apache-2.0 (LICENSE). This folder also carries the work of others, listed below
with their licences; the models, pictures and letters are listed in resources/licences/NOTICE.md.
"""
_QT: Final = """
Qt and PySide6 are used under the LGPL, version 3 (LGPL-3.0.txt, with GPL-3.0.txt that it refers to). They are separate
shared libraries under PySide6/: you may replace them by your own builds of the same interface, and nothing in this
program's terms keeps you from taking it apart to mend such a change. Source: https://download.qt.io/official_releases/
(Qt {qt}) and https://code.qt.io/cgit/pyside/pyside-setup.git.
"""
_GPL: Final = """
This folder contains the H.264 and H.265 encoders x264 and x265 ({files}), which are licensed under the GPL, version 2
or later. As one work with them, the folder may be passed on under the terms of the GPL, version 3 (GPL-3.0.txt), which
Apache-2.0 allows; whoever passes it on must offer the source of all of it. Source of the encoders and of FFmpeg:
https://github.com/PyAV-Org/pyav-ffmpeg (the builds in the wheel av {av}), https://code.videolan.org/videolan/x264 and
https://bitbucket.org/multicoreware/x265_git. Without the two files' licence the folder must be built with an av whose
FFmpeg is an LGPL build.
"""
_INSIDE: Final = """
Libraries that came inside of the packages listed further below, and their files:

{listed}
"""


@dataclass(frozen=True, slots=True, order=True)
class Work:
    """What one licence statement speaks for.

    Attributes:
        name: Of the distribution, or of the system's package.
        version: As it tells itself.
        licence: In the words of its own metadata.
        texts: The files of its licences.
    """

    name: str
    version: str
    licence: str
    texts: tuple[Path, ...] = ()


def write(folder: Path, entries: Iterable[Entry]) -> list[Entry]:
    """Write the notices of a bundle.

    Args:
        folder: Where the files are made.
        entries: All that was collected, modules too.

    Returns:
        What must go into the bundle beside it: `THIRD-PARTY.txt` and the texts it refers to.

    Raises:
        ValueError: A file belongs to nobody known, or a licence text is not at hand: so nothing may be passed on.
    """
    entries = list(entries)
    works = credited([Path(source) for _, source, _ in entries if source and Path(source).is_absolute()])
    silent = [work.name for work in works if not work.texts]
    if silent:
        raise ValueError(f"no licence text is at hand for {', '.join(silent)}: put one into {TEXTS}")
    names = [Path(name).name for name, _, _ in entries]
    carried = {work.name: "\n".join(map(_words, work.texts)) for work in works}
    untold = inner.untold(inner.found(names), carried)
    if untold:
        raise ValueError(f"no package carries the licence text of {', '.join(untold)}: see {inner.TABLE}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "THIRD-PARTY.txt").write_text(page(works, names), "utf-8")
    for text in ("GPL-3.0.txt", "LGPL-3.0.txt"):
        shutil.copy(TEXTS / text, folder / text)
    return [(file.name, str(file), "DATA") for file in sorted(folder.iterdir())]


def page(works: list[Work], files: list[str]) -> str:
    """The whole text: duties first, then a list, then every licence.

    Args:
        works: Whose work is inside.
        files: Names of the bundled files: they decide which duties there are.

    Raises:
        ValueError: One is a library of nobody known.
    """
    versions = {work.name.lower(): work.version for work in works}
    text = [_HEAD.format(version=metadata.version("facefusion-live"))]
    if any(name.startswith(("libQt6", "Qt6")) for name in files):
        text.append(_QT.format(qt=versions.get("pyside6_essentials", "")))
    codecs = sorted({name for name in files if name.startswith(_GPL_CODECS)})
    if codecs:
        text.append(_GPL.format(files=", ".join(codecs), av=versions.get("av", "")))
    there = inner.found(files)
    if there:
        text.append(_INSIDE.format(listed=inner.listed(there)))
    width = max((len(f"{work.name} {work.version}") for work in works), default=0)
    text += ["", *(f"{f'{work.name} {work.version}':{width}}  {work.licence}" for work in works), ""]
    for work in works:
        for licence in work.texts:
            text += _section(f"{work.name} {work.version}: {licence.name}", licence)
    own = {licence.resolve() for work in works for licence in work.texts}
    for licence in inner.texts(there):
        if licence.resolve() not in own:
            text += _section(licence.name, licence)
    return "\n".join(text)


def credited(files: Iterable[Path]) -> list[Work]:
    """Whose work some files are, each once, by name.

    Raises:
        ValueError: A file belongs to nobody known.
    """
    found: set[Work] = {_bootloader()}
    strangers: list[str] = []
    for file in files:
        work = _owner(file)
        if work is None:
            strangers.append(str(file))
        elif work.name != "facefusion-live":
            found.add(work)
    if strangers:
        raise ValueError(f"nobody known owns {', '.join(sorted(set(strangers))[:5])}")
    return sorted(found, key=lambda work: (work.name.lower(), work))


def _owner(file: Path) -> Work | None:
    own = Path(__file__).resolve().parents[1]
    real = file.resolve()
    if real.name == "base_library.zip":  # what Python needs to start, packed by PyInstaller
        return _python()
    if distribution := _installed().get(file) or _installed().get(real):
        return _distribution_work(distribution)
    if real.is_relative_to(own) and "site-packages" not in real.parts:
        return Work("facefusion-live", "", "")
    if real.is_relative_to(Path(os.__file__).resolve().parent) or real.name.startswith(("libpython", "python3")):
        return _python()
    return _system_work(real)


@cache
def _installed() -> dict[Path, str]:
    """Which distribution each installed file came with."""
    owners: dict[Path, str] = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        for file in distribution.files or ():
            path = Path(str(distribution.locate_file(file)))
            owners[path] = owners[path.resolve()] = name
    return owners


@cache
def _distribution_work(name: str) -> Work:
    distribution = metadata.distribution(name)
    told = distribution.metadata
    licence = told.get("License-Expression") or told.get("License") or ""
    if not licence or "\n" in licence:
        classified = [line for line in told.get_all("Classifier") or [] if line.startswith("License ::")]
        licence = "; ".join(line.rpartition(" :: ")[2] for line in classified) or "as its text says"
    inside = [Path(str(distribution.locate_file(file))) for file in distribution.files or () if _is_licence(Path(file))]
    return Work(told["Name"], told["Version"], licence, tuple(inside) or _kept_text(told["Name"], licence))


def _is_licence(file: Path) -> bool:
    in_metadata = any(part.endswith(".dist-info") for part in file.parts)
    return (
        bool(_LICENCE_FILE(file.name)) and (in_metadata or len(file.parts) == 2) and file.suffix not in (".py", ".pyc")
    )


def _kept_text(name: str, licence: str) -> tuple[Path, ...]:
    """For wheels that carry no text of their own: theirs, or the one that their metadata name."""
    own = TEXTS / f"{name.lower().replace('-', '_')}.txt"
    if own.exists():
        return (own,)
    return next((tuple(TEXTS / text for text in texts) for word, texts in _BY_NAME.items() if word in licence), ())


@cache
def _bootloader() -> Work:
    return _distribution_work("pyinstaller")


@cache
def _python() -> Work:
    library = Path(os.__file__).parent
    texts = [file for file in (library / "LICENSE.txt", Path(sys.base_prefix) / "LICENSE.txt") if file.exists()]
    packaged = None if texts else _system_work(Path(os.__file__).resolve())
    return Work("Python", sys.version.split()[0], "PSF-2.0", tuple(texts[:1]) or (packaged.texts if packaged else ()))


@cache
def _system_work(file: Path) -> Work | None:
    """What Debian's package manager knows of a shared library."""
    if shutil.which("dpkg-query") is None:
        return Work("libraries of the system that built this", "", "see its notices", (TEXTS / "system.txt",))
    for name in (str(file), str(file).removeprefix("/usr")):
        told = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True, check=False)  # noqa: S607
        package = told.stdout.partition(":")[0].strip()
        text = Path("/usr/share/doc") / package / "copyright"
        if package and text.exists():
            asked = ["dpkg-query", "-W", "-f", "${Version}", package]
            number = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split("\n")[0]
            return Work(package, number, "as its text says", (text,))
    return None


def _section(title: str, file: Path) -> list[str]:
    return [_LINE, title, _LINE, _words(file), ""]


def _words(file: Path) -> str:
    return file.read_text("utf-8", errors="replace").strip()
