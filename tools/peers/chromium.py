"""Headless Chromium as a conference client, driven through its debugging pipe: no other library is needed."""

import functools
import http.server
import json
import os
import select
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

PROGRAM = "chromium"
_PAGE = Path(__file__).with_name("conference.html")
_FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--no-sandbox",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--autoplay-policy=no-user-gesture-required",
    # Grants the camera without a click; it stays the real one.
    "--use-fake-ui-for-media-stream",
    "--enable-features=WebRtcPipeWireCamera",
    "--remote-debugging-pipe",
)
_END_S = 10.0
# The page tries again for half a minute, and the browser gives each attempt ten seconds.
_PAGE_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Picture:
    """What the page saw in one picture.

    Attributes:
        number: Of its frame counter; None when that could not be read.
        wall_s: When it was drawn, seconds since 1970.
        colours: (r, g, b) at the points asked for.
    """

    number: int | None
    wall_s: float
    colours: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Showing:
    """What the page saw of a camera.

    Attributes:
        size_wh: Of the pictures.
        seconds: How long it looked.
        pictures: In order.
    """

    size_wh: tuple[int, int]
    seconds: float
    pictures: tuple[Picture, ...]


class Conference:
    """A page that uses cameras, open in a browser of its own; a context manager.

    Args:
        env: The environment of a session with a camera portal.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._sent = 0
        self._received = b""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            address = self._serve(stack)
            self._start(stack)
            target = self._command("Target.createTarget", url=address)["targetId"]
            attached = self._command("Target.attachToTarget", targetId=target, flatten=True)
            self._session = attached["sessionId"]
            self._wait_for_page()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def cameras(self) -> list[str]:
        """The names of the cameras that the page may use."""
        return [label for label, _ in self._run("cameras()", patience_s=_PAGE_PATIENCE_S)]

    def watch(
        self, camera: str, size_wh: tuple[int, int], seconds: float, points: tuple[tuple[int, int], ...] = ()
    ) -> Showing:
        """Play a camera.

        Args:
            camera: Its name.
            size_wh: Asked of the browser.
            seconds: How long.
            points: (x, y) whose colours are wanted.
        """
        call = f"watch({json.dumps(camera)}, {size_wh[0]}, {size_wh[1]}, {seconds}, {json.dumps(points)})"
        seen = self._run(call, patience_s=seconds + _PAGE_PATIENCE_S)
        pictures = (
            Picture(number, at_ms / 1000, tuple((r, g, b) for r, g, b in colours))
            for number, at_ms, colours in seen["pictures"]
        )
        return Showing((seen["width"], seen["height"]), seen["ms"] / 1000, tuple(pictures))

    def _serve(self, stack: ExitStack) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Page, directory=_PAGE.parent))
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.server_close)
        stack.callback(server.shutdown)
        return f"http://127.0.0.1:{server.server_address[1]}/{_PAGE.name}"

    def _start(self, stack: ExitStack) -> None:
        folder = tempfile.mkdtemp(prefix="ffl-chromium-")
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        for end in (self._to, self._from):
            stack.callback(os.close, end)
        # Chromium reads orders from descriptor 3 and answers on 4.
        shell = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        words = ("bash", "-c", shell, "bash", PROGRAM, *_FLAGS, f"--user-data-dir={folder}", "about:blank")
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._browser = subprocess.Popen(words, env=dict(self._env), pass_fds=(theirs_in, theirs_out), **quiet)
        stack.callback(self._end)
        for end in (theirs_in, theirs_out):
            os.close(end)

    def _end(self) -> None:
        self._browser.terminate()
        try:
            self._browser.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._browser.kill()
            self._browser.wait()

    def _wait_for_page(self) -> None:
        deadline = time.monotonic() + _END_S
        while self._run("document.readyState") != "complete" or not self._run("typeof watch === 'function'"):
            if time.monotonic() > deadline:
                raise TimeoutError("the page did not load")
            time.sleep(0.05)

    def _run(self, script: str, *, patience_s: float = 10) -> Any:  # noqa: ANN401 (whatever the script gives)
        """The value of an expression in the page, awaited.

        Raises:
            RuntimeError: The script failed.
        """
        words = {"expression": script, "awaitPromise": True, "returnByValue": True}
        answer = self._command("Runtime.evaluate", session=self._session, patience_s=patience_s, **words)
        problem = answer.get("exceptionDetails")
        if problem is not None:
            raise RuntimeError(problem.get("exception", {}).get("description") or problem.get("text"))
        return answer["result"].get("value")

    def _command(self, method: str, *, session: str | None = None, patience_s: float = 20, **words: Any) -> Any:  # noqa: ANN401
        """Send an order and wait for its answer; events in between are dropped."""
        self._sent += 1
        order = {"id": self._sent, "method": method, "params": words}
        if session is not None:
            order["sessionId"] = session
        os.write(self._to, json.dumps(order).encode() + b"\0")
        deadline = time.monotonic() + patience_s
        while True:
            answer = json.loads(self._next_message(deadline))
            if answer.get("id") == self._sent:
                if "error" in answer:
                    raise RuntimeError(answer["error"]["message"])
                return answer["result"]

    def _next_message(self, deadline: float) -> bytes:
        while b"\0" not in self._received:
            ready, _, _ = select.select([self._from], [], [], max(deadline - time.monotonic(), 0))
            more = os.read(self._from, 1 << 16) if ready else b""
            if not more:
                raise TimeoutError("Chromium does not answer" if not ready else "Chromium ended")
            self._received += more
        message, _, self._received = self._received.partition(b"\0")
        return message


class _Page(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing: a test's output is for failures."""
