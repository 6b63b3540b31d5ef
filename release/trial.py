"""Try the wheel as people install it: `python -m release.trial [PYTHON ...]`, by default this Python.

Builds wheel and sdist, installs the wheel into a fresh environment of each Python, and lets the installed program do
its main things in an empty folder, far from the checkout; on Linux also in a window, which needs Xvfb and ImageMagick.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import cv2
import numpy as np

_ROOT: Final = Path(__file__).resolve().parents[1]
_HAS_WINDOWS: Final = sys.platform == "linux"
"""Whether the window can be tried on a screen of its own."""
DEEDS: Final = (
    ("--version",),
    ("doctor",),
    ("demo", "--output", "demo.mp4"),
    ("run", "--source", "bo", "--input", "demo.mp4", "--output", "gl.mp4", "--offline", "--render.backend", "gl"),
    ("provenance", "show", "demo.mp4"),
    ("mark", "read", "demo.mp4"),
    ("audit", "verify"),
    ("models", "list"),
    ("models", "optimise", "yunet_2023mar", "--to", "fp16"),
    ("consent", "list"),
)
"""What an installed program must be able to do on a machine without a screen, in this order."""

_ON_AIR_BGR: Final = (92, 140, 34)
"""The bar above the picture, while swapped pictures go out."""
_ON_AIR_SHARE: Final = 0.005
"""Of the screen. Nothing else in the window is that green over so much of it."""
_PATIENCE_S: Final = 180.0
"""A free machine needs four seconds."""


def deeds(program: Path, folder: Path) -> list[str]:
    """Let a program do all of them.

    Args:
        program: The command.
        folder: An empty one: where it works, and its home.

    Returns:
        What failed, in words.
    """
    failed: list[str] = []
    for deed in DEEDS:
        asked = [str(program), *deed]
        done = subprocess.run(asked, cwd=folder, env=_bare(folder), capture_output=True, text=True, check=False)
        if done.returncode:
            failed.append(f"{' '.join(deed)}: exit {done.returncode}: {(done.stdout + done.stderr).strip()[-600:]}")
    return failed


def window(program: Path, folder: Path) -> list[str]:
    """Let a program open its window on the built-in clip, until swapped pictures go out, and close it.

    Args:
        program: The command.
        folder: Where it works, and its home.

    Returns:
        What failed, in words.

    Raises:
        FileNotFoundError: Xvfb or ImageMagick's `import` is missing.
    """
    with (
        screen() as display,
        (folder / "window.log").open("w+", encoding="utf-8") as log,
        subprocess.Popen(
            [str(program), "demo"], cwd=folder, env=_bare(folder) | {"DISPLAY": display}, stdout=log, stderr=log
        ) as shown,
    ):
        deadline_s = time.monotonic() + _PATIENCE_S
        while not (live := _on_air(display, folder / "window.png")) and time.monotonic() < deadline_s:
            if shown.poll() is not None:
                break
            time.sleep(1)
        shown.terminate()
        code = shown.wait()
        log.seek(0)
        told = log.read().strip()[-600:]
    if live and code == 0:
        return []
    return [f"window: {'' if live else 'no swapped picture on the screen, '}exit {code}: {told}"]


@contextmanager
def screen() -> Iterator[str]:
    """Open an Xvfb and tell its name, such as ":7".

    Raises:
        FileNotFoundError: There is no Xvfb.
    """
    reading, writing = os.pipe()
    command = [_found("Xvfb"), "-displayfd", str(writing), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        with open(reading, encoding="ascii") as told:  # noqa: PTH123 (a number of a pipe)
            number = told.readline().strip()
        try:
            yield f":{number}"
        finally:
            server.terminate()


def _on_air(display: str, picture: Path) -> bool:
    """Whether the bar of a window on that screen tells that swapped pictures go out."""
    subprocess.run([_found("import"), "-display", display, "-window", "root", str(picture)], check=True)
    seen = cv2.imread(str(picture))
    if seen is None:
        return False
    near = np.abs(seen.astype(int) - _ON_AIR_BGR).max(axis=2) < 12
    return bool(near.mean() >= _ON_AIR_SHARE)


def _found(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise FileNotFoundError(f"{name} is missing")
    return path


def _bare(folder: Path) -> dict[str, str]:
    """Nothing of this machine: no Python, no screen, no settings."""
    home = str(folder / "home")
    return {"HOME": str(folder), "FACEFUSION_LIVE_HOME": home, "PATH": "/nonexistent", "LANG": "C.UTF-8"}


def build(folder: Path) -> Path:
    """Make sdist and, out of it, the wheel.

    Raises:
        subprocess.CalledProcessError: It cannot be built.
    """
    command = [sys.executable, "-m", "build", "--outdir", str(folder), str(_ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def check(python: str, wheel: Path, folder: Path) -> list[str]:
    """Install a wheel for one Python and try it.

    Returns:
        What failed, in words.
    """
    venv, work = folder / "venv", folder / "work"
    work.mkdir(parents=True)
    subprocess.run([python, "-m", "venv", str(venv)], check=True)
    scripts = venv / ("Scripts" if os.name == "nt" else "bin")
    pip = [str(scripts / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)]
    installed = subprocess.run(pip, capture_output=True, text=True, check=False)
    if installed.returncode:
        return [f"pip: {installed.stderr.strip()[-600:]}"]
    program = scripts / "facefusion-live"
    return deeds(program, work) + (window(program, work) if _HAS_WINDOWS else [])


def main() -> int:
    """Check each Python and say what came out."""
    parser = argparse.ArgumentParser(description="Try the wheel as people install it.")
    parser.add_argument("pythons", nargs="*", default=[sys.executable], help="interpreters")
    failures, all_deeds = 0, len(DEEDS) + _HAS_WINDOWS
    with tempfile.TemporaryDirectory() as temporary:
        wheel = build(Path(temporary) / "built")
        print(f"{wheel.name}: {wheel.stat().st_size / 1024**2:.1f} MiB")
        for number, python in enumerate(parser.parse_args().pythons):
            started = time.monotonic()
            failed = check(python, wheel, Path(temporary) / str(number))
            failures += len(failed)
            print(f"{python}: {all_deeds - len(failed)} of {all_deeds} in {time.monotonic() - started:.0f} s")
            for line in failed:
                print(f"  {line}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
