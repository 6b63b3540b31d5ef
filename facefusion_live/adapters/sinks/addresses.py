"""Where streams go: what an address means, how it is shown without its secrets, why it does not answer."""

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import SplitResult, urlsplit

from facefusion_live.domain.errors import SinkOpenError

_WHIP = "whip+"


@dataclass(frozen=True, slots=True)
class Protocol:
    """How one kind of address is served.

    Attributes:
        muxer: FFmpeg's name of the container.
        port: Where servers listen when the address says nothing; 0 where an address must say.
        answers: There is a server on a TCP port that can be asked for before a stream is begun.
        options: For FFmpeg.
        query: What the address is completed with where it says nothing.
    """

    muxer: str
    port: int
    answers: bool
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    query: str = ""


PROTOCOLS: Mapping[str, Protocol] = MappingProxyType(
    {
        # No duration and no size at the end: nobody can go back in a stream to write them.
        "rtmp": Protocol("flv", 1935, answers=True, options={"flvflags": "no_duration_filesize"}),
        "rtmps": Protocol("flv", 443, answers=True, options={"flvflags": "no_duration_filesize"}),
        "rtsp": Protocol("rtsp", 554, answers=True, options={"rtsp_transport": "tcp"}),
        # Seven packets of a transport stream fit into one of Ethernet's.
        "udp": Protocol("mpegts", 0, answers=False, options={"pat_period": "0.5"}, query="pkt_size=1316"),
        "srt": Protocol("mpegts", 0, answers=False),
        "whip+http": Protocol("whip", 80, answers=True),
        "whip+https": Protocol("whip", 443, answers=True),
    }
)
"""By scheme."""
FORMS = ("rtmp://HOST/APP/KEY", "rtmps://HOST/APP/KEY", "rtsp://HOST/PATH", "udp://HOST:PORT", "whip+https://HOST/PATH")


def is_address(spec: str) -> bool:
    """Whether a spec names a stream."""
    return spec.partition("://")[0].lower() in PROTOCOLS and "://" in spec


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """Where a stream goes. Keys lie in the path, in the user's part or in the query: none of them is ever shown.

    Attributes:
        url: As FFmpeg wants it.
        shown: For people: scheme, host and port.
        host: Name or number.
        port: As given, else the protocol's own.
        protocol: How it is served.
        encrypted: TLS is spoken.
    """

    url: str
    shown: str
    host: str
    port: int
    protocol: Protocol
    encrypted: bool

    @classmethod
    def parse(cls, spec: str) -> "Address":
        """Read an address.

        Raises:
            SinkOpenError: Host or port are missing or wrong.
        """
        scheme = spec.partition("://")[0].lower()
        protocol = PROTOCOLS[scheme]
        form = next((form for form in FORMS if form.startswith(f"{scheme}://")), f"{scheme}://HOST:PORT")
        parts, port = _split(spec)
        host, given, port = parts.hostname, bool(port), port or protocol.port
        if port < 0:
            raise SinkOpenError(f"{scheme}://…: the port is none", advice="Give a number from 1 to 65535.")
        if not host or not port:
            raise SinkOpenError(f"{scheme}://…: host or port are missing", advice=f"Give {form}.")
        if "/APP/KEY" in form and parts.path.strip("/").count("/") < 1:
            raise SinkOpenError(f"{scheme}://{host}: the stream key is missing", advice=f"Give {form}.")
        shown_host = f"[{host}]" if ":" in host else host
        shown = f"{scheme}://{shown_host}" + (f":{port}" if given else "")
        encrypted = scheme in ("rtmps", "whip+https")
        url = spec.removeprefix(_WHIP) + (f"?{protocol.query}" if protocol.query and not parts.query else "")
        return cls(url, shown, host, port, protocol, encrypted)

    def knock(self, timeout_s: float) -> None:
        """See whether a server is there. FFmpeg says "Input/output error" for every reason why one is not.

        Raises:
            SinkOpenError: The host is unknown, nobody listens, nobody answers, or TLS is not spoken or not trusted.
        """
        if not self.protocol.answers:
            self._resolve()
            return
        try:
            with socket.create_connection((self.host, self.port), timeout_s) as connection:
                if self.encrypted:
                    ssl.create_default_context().wrap_socket(connection, server_hostname=self.host).close()
        except socket.gaierror:
            raise self._unknown_host() from None
        except ConnectionRefusedError:
            raise self.failure("nobody listens there", "Start the server, or check the port.") from None
        except TimeoutError:
            raise self.failure(f"no answer within {timeout_s:g} s", "Check the address, and the firewall.") from None
        except ssl.SSLCertVerificationError:
            raise self.failure("its certificate is not to be trusted", "Check the host's name.") from None
        except ssl.SSLError:
            raise self.failure("it does not speak TLS", "Use rtmp:// or whip+http:// there.") from None
        except OSError as error:
            raise self.failure(f"it cannot be reached ({error.strerror})", "Check your network.") from None

    def refusal(self, answer: str, timeout_s: float) -> SinkOpenError:
        """Why a server that is there did not take the stream.

        Args:
            answer: The name of PyAV's error; nothing when there was no answer.
            timeout_s: How long it had.
        """
        scheme = self.shown.partition("://")[0]
        if not answer:
            return self.failure(f"no answer within {timeout_s:g} s", "Check address, port and protocol.")
        if answer == "ProtocolNotFoundError":
            return SinkOpenError(
                f"this program's FFmpeg has no {scheme.upper()}",
                advice="Send rtmp:// or udp:// instead, and let a media server turn it into what you need.",
            )
        if answer.startswith("HTTP"):
            return self.failure("the server refused the stream", "Check path and key.")
        if self.protocol.answers:
            where = "application and stream key" if self.protocol.muxer == "flv" else "path and key"
            return self.failure("the server is there but did not take the stream", f"Check {where}.")
        return self.failure("the stream cannot be begun", "Check the address.")

    def failure(self, words: str, advice: str) -> SinkOpenError:
        """An error that names the address without its secrets."""
        return SinkOpenError(f"{self.shown}: {words}", advice=advice)

    def _resolve(self) -> None:
        try:
            socket.getaddrinfo(self.host, self.port)
        except OSError:
            raise self._unknown_host() from None

    def _unknown_host(self) -> SinkOpenError:
        return self.failure("the host name is unknown", "Check the spelling of the address.")


def _split(spec: str) -> tuple[SplitResult, int]:
    """The parts of an address, and its port: 0 where none is given, -1 where it is none."""
    try:
        parts = urlsplit(spec)
        port = parts.port or 0
    except ValueError:
        return urlsplit(""), -1
    return parts, port
