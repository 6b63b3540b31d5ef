"""MLServer with small ONNX graphs, in a process of its own: started, killed, started again."""

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from tests.adapters.sinks.servers import HOST, free_port
from tests.support import inference_server

_START_S = 60.0
_POLL_S = 0.1


class RealServer:
    """A server that runs from `start` until `kill`; a context manager.

    Args:
        folder: Where its settings go, and what it says.
        nets: ONNX files by the names that they have on the server.
        version: What it calls their version.
    """

    def __init__(self, folder: Path, nets: dict[str, Path], version: str = "1") -> None:
        self._program, self._folder = inference_server(), folder
        self.port = free_port()
        settings = {
            "host": HOST,
            "http_port": free_port(),
            "grpc_port": self.port,
            "metrics_endpoint": None,
            "parallel_workers": 0,
            "debug": False,
            "server_name": "studio",
        }
        (folder / "settings.json").write_text(json.dumps(settings), "utf-8")
        for name, file in nets.items():
            told = {"uri": str(file.resolve()), "version": version}
            (folder / name).mkdir()
            (folder / name / "model-settings.json").write_text(
                json.dumps({"name": name, "implementation": "mlserver_onnx.OnnxModel", "parameters": told}), "utf-8"
            )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it listens."""
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "start", self._folder], stdout=log, stderr=log, env=environment
            )
        deadline_s = time.monotonic() + _START_S
        while not self._listens():
            said = (self._folder / "server.log").read_text("utf-8")
            assert self._process.poll() is None, said
            assert time.monotonic() < deadline_s, said
            time.sleep(_POLL_S)

    def kill(self) -> None:
        """End it without a word. A second call does nothing."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGKILL)
            process.wait()

    @property
    def place(self) -> str:
        """`HOST:PORT`."""
        return f"{HOST}:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _listens(self) -> bool:
        with socket.socket() as knocking:
            return knocking.connect_ex((HOST, self.port)) == 0
