"""A WHIP server, as WebRTC's broadcasters know it. aiortc speaks WebRTC; the few words of HTTP are written here."""

import asyncio
import threading
from typing import Any, Self

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from facefusion_live.domain import frame_counter
from tests.adapters.sinks.servers import HOST


class WhipServer:
    """A context manager; its event loop has a thread of its own.

    Args:
        monkeypatch: Keeps WebRTC on this machine: it knows no loopback, and would ask the network who it is.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("aioice.ice.get_host_addresses", lambda **_kinds: [HOST])
        self.asked: list[tuple[str, dict[str, str]]] = []
        """(first line, headers), of each request."""
        self.numbers: list[int | None] = []
        """Those in the pictures that came."""
        self.sounds = 0
        self._calls: list[RTCPeerConnection] = []
        self._loop = asyncio.new_event_loop()
        self._tasks: list[asyncio.Task[None]] = []

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._server = self._done(asyncio.start_server(self._serve, HOST, 0))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._done(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _done(self, what: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(20)

    async def _end(self) -> None:
        self._server.close()
        for call in self._calls:
            await call.close()
        await asyncio.gather(*self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().splitlines()
        except asyncio.IncompleteReadError:  # someone who only looked whether we are here
            writer.close()
            return
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.asked.append((first, headers))
        said, status = b"", "200 OK"
        if first.startswith("POST"):
            offer = (await reader.readexactly(int(headers["content-length"]))).decode()
            said, status = await self._answer(offer), "201 Created"
        kind = "Content-Type: application/sdp\r\nLocation: /calls/1\r\n" if said else ""
        writer.write(f"HTTP/1.1 {status}\r\n{kind}Content-Length: {len(said)}\r\n\r\n".encode() + said)
        await writer.drain()
        writer.close()

    async def _answer(self, offer: str) -> bytes:
        call = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._calls.append(call)
        call.on("track", lambda track: self._tasks.append(self._loop.create_task(self._receive(track))))
        await call.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await call.setLocalDescription(await call.createAnswer())
        return call.localDescription.sdp.encode()

    async def _receive(self, track: Any) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:  # the end
                return
            if track.kind == "video":
                self.numbers.append(frame_counter.read(frame.to_ndarray(format="rgb24")))
            else:
                self.sounds += 1
