"""A PipeWire session of its own: nothing of the user's is seen or touched."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

PROGRAMS = ("dbus-daemon", "pipewire", "wireplumber")
PORTAL_PROGRAMS = ("Xvfb", "gdbus", "dbus-update-activation-environment")
PORTAL = Path("/usr/libexec/xdg-desktop-portal")
_PATIENCE_S = 20.0
_KILL_AFTER_S = 5.0


class Programs:
    """Programs that are ended, newest first, when the block ends.

    Args:
        env: Their environment.
        logs: Where each one's output goes.
    """

    def __init__(self, env: Mapping[str, str], logs: Path) -> None:
        self._env, self._logs = env, logs
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, *words: str, pass_fds: Sequence[int] = ()) -> subprocess.Popen[bytes]:
        """Start one."""
        log = self._logs / f"{Path(words[0]).name}.log"
        with log.open("ab") as output:
            program = subprocess.Popen(
                words, env=dict(self._env), stdout=output, stderr=output, stdin=subprocess.DEVNULL, pass_fds=pass_fds
            )
        self._running.append(program)
        return program

    def end(self, program: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM) -> None:
        """End one and wait for it."""
        program.send_signal(how)
        try:
            program.wait(_KILL_AFTER_S)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()
        if program in self._running:
            self._running.remove(program)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for program in reversed(self._running[:]):
            self.end(program)


class PipeWireSession:
    """A D-Bus, a PipeWire daemon and its session manager in a folder of their own; a context manager.

    Attributes:
        env: The environment in which programs find this session.
        folder: Where its sockets, state and logs lie.
    """

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.folder = Path(tempfile.mkdtemp(prefix="ffl-pipewire-"))
            stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self.env = {**os.environ, **self.variables()}
            self.programs = stack.enter_context(Programs(self.env, self.folder))
            bus = f"unix:path={self.folder}/run/bus"
            self.programs.start("dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={bus}")
            wait_until((self.folder / "run" / "bus").exists, "D-Bus")
            self.start_daemon()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def variables(self) -> dict[str, str]:
        """What of the environment makes a program part of this session."""
        for name in ("run", "config", "state", "data", "cache"):
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)
        return {
            "XDG_RUNTIME_DIR": f"{self.folder}/run",
            "PIPEWIRE_RUNTIME_DIR": f"{self.folder}/run",
            "XDG_CONFIG_HOME": f"{self.folder}/config",
            "XDG_STATE_HOME": f"{self.folder}/state",
            "XDG_DATA_HOME": f"{self.folder}/data",
            "XDG_CACHE_HOME": f"{self.folder}/cache",
            "HOME": str(self.folder),
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.folder}/run/bus",
        }

    def start_daemon(self) -> None:
        """Start PipeWire and WirePlumber, and wait until they answer."""
        self._daemon = self.programs.start("pipewire")
        wait_until((self.folder / "run" / "pipewire-0").exists, "PipeWire")
        self._manager = self.programs.start("wireplumber")
        wait_until(lambda: "WirePlumber" in self.run("pw-cli", "ls", "Client"), "WirePlumber")

    def kill_daemon(self) -> None:
        """Kill PipeWire as a crash would; WirePlumber goes with it."""
        self.programs.end(self._daemon, signal.SIGKILL)
        self.programs.end(self._manager)
        (self.folder / "run" / "pipewire-0").unlink(missing_ok=True)

    def run(self, *words: str, timeout_s: float = _PATIENCE_S) -> str:
        """Run a program to its end in this session; returns what it said."""
        done = subprocess.run(
            words,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return done.stdout

    def start_portal(self) -> None:
        """Start the camera portal, which browsers ask for cameras, and allow them."""
        display = self._start_display()
        self.env["DISPLAY"] = display
        kept = ("DISPLAY", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "HOME")
        self.run("dbus-update-activation-environment", *kept)
        self.programs.start(str(PORTAL))
        self.run("gdbus", "wait", "--session", "--timeout", str(int(_PATIENCE_S)), "org.freedesktop.portal.Desktop")
        store = "org.freedesktop.impl.portal.PermissionStore"
        path = "/" + store.replace(".", "/")
        order = ("--method", f"{store}.SetPermission", "devices", "true", "camera", "", "['yes']")
        self.run("gdbus", "call", "--session", "--dest", store, "--object-path", path, *order)

    def _start_display(self) -> str:
        """An X server on a display that is free; the portal's backend does not start without one."""
        read, write = os.pipe()
        try:
            words = ("Xvfb", "-displayfd", str(write), "-screen", "0", "640x480x24", "-nolisten", "tcp")
            self.programs.start(*words, pass_fds=(write,))
            os.close(write)
            with os.fdopen(read, closefd=False) as answer:
                return f":{answer.readline().strip()}"
        finally:
            os.close(read)


def wait_until(there: Callable[[], bool], what: str, patience_s: float = _PATIENCE_S) -> None:
    """Wait for something.

    Raises:
        TimeoutError: It did not come.
    """
    deadline = time.monotonic() + patience_s
    while not there():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come within {patience_s:g} s")
        time.sleep(0.02)
