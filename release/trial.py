"""Try the wheel as people install it: `python -m release.trial [PYTHON ...]`, by default this Python.

Builds wheel and sdist, installs the wheel into a fresh environment of each Python, and lets the installed program do
its main things in an empty folder, far from the checkout.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[1]
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


def deeds(program: Path, folder: Path) -> list[str]:
    """Let a program do all of them.

    Args:
        program: The command.
        folder: An empty one: where it works, and its home.

    Returns:
        What failed, in words.
    """
    # Nothing of this machine: no Python, no screen, no settings.
    environment = {"HOME": str(folder), "FACEFUSION_LIVE_HOME": str(folder / "home"), "PATH": "/nonexistent"}
    failed: list[str] = []
    for deed in DEEDS:
        asked = [str(program), *deed]
        done = subprocess.run(
            asked, cwd=folder, env=environment | {"LANG": "C.UTF-8"}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            failed.append(f"{' '.join(deed)}: exit {done.returncode}: {(done.stdout + done.stderr).strip()[-600:]}")
    return failed


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
    return deeds(scripts / "facefusion-live", work)


def main() -> int:
    """Check each Python and say what came out."""
    parser = argparse.ArgumentParser(description="Try the wheel as people install it.")
    parser.add_argument("pythons", nargs="*", default=[sys.executable], help="interpreters")
    failures = 0
    with tempfile.TemporaryDirectory() as temporary:
        wheel = build(Path(temporary) / "built")
        print(f"{wheel.name}: {wheel.stat().st_size / 1024**2:.1f} MiB")
        for number, python in enumerate(parser.parse_args().pythons):
            started = time.monotonic()
            failed = check(python, wheel, Path(temporary) / str(number))
            failures += len(failed)
            print(f"{python}: {len(DEEDS) - len(failed)} of {len(DEEDS)} in {time.monotonic() - started:.0f} s")
            for line in failed:
                print(f"  {line}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
