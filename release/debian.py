"""The frozen folder as a Debian package: `python -m release.debian dist/facefusion-live [FOLDER]`. Needs dpkg-deb.

It goes to /opt/facefusion-live, with the command, the menu entry, the icon and what software centres show in the places
where a desktop looks for them.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from facefusion_live import __version__
from release.icons import render

_ROOT: Final = Path(__file__).resolve().parents[1]
_LINUX: Final = Path(__file__).parent / "linux"
_SIZES: Final = (48, 128, 256)
NEEDED: Final = (
    *("libc6 (>= 2.34)", "libstdc++6", "libgcc-s1", "zlib1g", "libfontconfig1", "libfreetype6", "libdbus-1-3"),
    *("libegl1", "libgl1", "libx11-6", "libx11-xcb1", "libxcb1"),
    *("libwayland-client0", "libwayland-cursor0", "libwayland-egl1"),
)
"""Whatever the folder links to and does not carry; a test looks."""
_WELCOME: Final = ("pipewire", "wireplumber", "libpulse0")

_SHARED: Final = re.compile(r"Shared library: \[([^\]]+)\]")
_CONTROL: Final = """\
Package: facefusion-live
Version: {version}
Architecture: {architecture}
Maintainer: The FaceFusion Live developers <facefusion-live@users.noreply.github.com>
Installed-Size: {kib}
Depends: {needed}
Recommends: {welcome}
Section: video
Priority: optional
Description: swap faces in live video, labelled and on record
 Swaps a face in live video, in real time, on an ordinary computer. Only pictures in which each face is covered go out;
 each is labelled as synthesised; what was done is kept in a signed record.
"""


def build(frozen: Path, folder: Path) -> Path:
    """Make the package.

    Args:
        frozen: What `pyinstaller build.spec` made.
        folder: Where the package is put.

    Returns:
        The package's path.

    Raises:
        FileNotFoundError: `frozen` is not the frozen program, or dpkg-deb is missing.
        subprocess.CalledProcessError: dpkg-deb did not want it.
    """
    if not (frozen / "facefusion-live").is_file():
        raise FileNotFoundError(f"{frozen} is not the frozen program: pyinstaller build.spec makes it")
    dpkg = shutil.which("dpkg-deb")
    if dpkg is None:
        raise FileNotFoundError("dpkg-deb is missing")
    told = subprocess.run([dpkg, "--print-architecture"], capture_output=True, text=True, check=False)
    architecture = told.stdout.strip() or "amd64"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"facefusion-live_{__version__}_{architecture}.deb"
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        tree = Path(temporary) / "tree"
        _fill(tree, frozen)
        (tree / "DEBIAN").mkdir(mode=0o755)
        words = _CONTROL.format(
            version=__version__,
            architecture=architecture,
            kib=sum(file.lstat().st_size for file in tree.rglob("*") if not file.is_dir()) // 1024,
            needed=", ".join(NEEDED),
            welcome=", ".join(_WELCOME),
        )
        (tree / "DEBIAN" / "control").write_text(words, "utf-8")
        # zstd, which Debian and Ubuntu both read: xz takes minutes for libraries of this size.
        command = [dpkg, "--root-owner-group", "-Zzstd", "--build", str(tree), str(target)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return target


def asked_of_the_system(frozen: Path) -> dict[str, str]:
    """Libraries that the folder links to and does not carry, each with one file that asks for it.

    Raises:
        FileNotFoundError: readelf is missing.
        subprocess.CalledProcessError: It cannot read a file.
    """
    readelf = shutil.which("readelf")
    if readelf is None:
        raise FileNotFoundError("readelf is missing (Debian: binutils)")
    carried = {file.name for file in frozen.rglob("*")}
    asked: dict[str, str] = {}
    for file in sorted(frozen.rglob("*")):
        if file.is_file() and not file.is_symlink() and _begins(file, b"\x7fELF"):
            told = subprocess.run([readelf, "--dynamic", str(file)], capture_output=True, text=True, check=True)
            asked |= {name: file.name for name in _SHARED.findall(told.stdout) if name not in carried}
    return asked


def _begins(file: Path, mark: bytes) -> bool:
    with file.open("rb") as reading:
        return reading.read(len(mark)) == mark


def _fill(tree: Path, frozen: Path) -> None:
    tree.mkdir(mode=0o755)
    opt = tree / "opt" / "facefusion-live"
    shutil.copytree(frozen, opt, symlinks=True)
    share = tree / "usr" / "share"
    _put(_LINUX / "facefusion-live.desktop", share / "applications")
    _put(_LINUX / "facefusion-live.metainfo.xml", share / "metainfo")
    svg = _ROOT / "resources" / "icons" / "facefusion-live.svg"
    icons = share / "icons" / "hicolor"
    _put(svg, icons / "scalable" / "apps")
    for size in _SIZES:
        apps = icons / f"{size}x{size}" / "apps"
        Path(render(svg, apps, size)).rename(apps / "facefusion-live.png")
    documents = share / "doc" / "facefusion-live"
    _put(frozen / "_internal" / "THIRD-PARTY.txt", documents)
    _put(_ROOT / "LICENSE", documents).rename(documents / "copyright")
    command = tree / "usr" / "bin" / "facefusion-live"
    command.parent.mkdir(parents=True)
    command.symlink_to("/opt/facefusion-live/facefusion-live")


def _put(file: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(file, folder))


def main() -> int:
    """Parse the command line and make the package."""
    parser = argparse.ArgumentParser(description="Make a Debian package of the frozen program.")
    parser.add_argument("frozen", type=Path, help="what `pyinstaller build.spec` made")
    parser.add_argument("folder", type=Path, nargs="?", default=Path("dist"), help="where the package is put")
    given = parser.parse_args()
    try:
        made = build(given.frozen, given.folder)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        print(f"release.debian: {error}", file=sys.stderr)
        return 2
    print(f"{made} ({made.stat().st_size / 1024**2:.0f} MiB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
