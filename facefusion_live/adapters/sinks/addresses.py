"""Where streams go: what an address means, how it is shown without its secrets, why it does not answer."""

import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from urllib.parse import SplitResult, unquote, urlsplit

from facefusion_live.adapters.sinks.trust import authorities
from facefusion_live.domain.errors import SinkOpenError

_WHIP = "whip+"
_ENCRYPTED = ("rtmps", "whip+https")


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


_HOST = re.compile(r"[\w.-]+|[0-9a-f:.]+(%[\w.-]+)?")
"""A name, a number, or a number of IPv6 with its zone."""
_PASTED_AROUND = " \t\r\n\"'`<>“”„‘’«»"  # noqa: RUF001 (the quotes of other countries)


def cleaned(spec: str) -> str:
    """A spec without what comes along when it is pasted: spaces, quotes, brackets; its scheme in small letters."""
    spec = spec.strip(_PASTED_AROUND)
    scheme, separator, rest = spec.partition("://")
    return f"{scheme.lower()}{separator}{rest}" if separator else spec


def is_address(spec: str) -> bool:
    """Whether a spec names a stream."""
    spec = cleaned(spec)
    return spec.partition("://")[0] in PROTOCOLS and "://" in spec


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """Where a stream goes. Keys lie in the path, in the user's part or in the query: none of them is ever shown.

    Attributes:
        url: As FFmpeg wants it.
        shown: For people: scheme, host and port.
        host: Name or number.
        port: As given, else the protocol's own.
        protocol: How it is served.
        trusted: For TLS: the list of those who vouch for servers; None where TLS is not spoken.
        bearer: What WHIP servers want as a token; given before the host, and part of the URL no more.
    """

    url: str
    shown: str
    host: str
    port: int
    protocol: Protocol
    trusted: Path | None = None
    bearer: str = ""

    @classmethod
    def parse(cls, spec: str, ca_file: str = "") -> "Address":
        """Read an address.

        Args:
            spec: As it was given.
            ca_file: The user's own list of those who vouch for servers; empty for the system's.

        Raises:
            SinkOpenError: Host, port or key are missing or wrong, or the list is none.
        """
        spec = cleaned(spec)
        scheme = spec.partition("://")[0]
        protocol = PROTOCOLS[scheme]
        form = next((form for form in FORMS if form.startswith(f"{scheme}://")), f"{scheme}://HOST:PORT")
        if any(letter.isspace() for letter in spec):
            raise SinkOpenError(f"{scheme}://…: there is a space in the address", advice=f"Give {form}.")
        parts, port = _split(spec)
        host, given, port = parts.hostname, bool(port), port or protocol.port
        if port < 0:
            raise SinkOpenError(
                f"{scheme}://…: the port is none", advice="Give a number from 1 to 65535; an IPv6 address in []."
            )
        if host and not _HOST.fullmatch(host):  # it may hold the key: rtmp:\\HOST\APP\KEY
            raise SinkOpenError(f"{scheme}://…: the host's name is none", advice=f"Give {form}.")
        if not host or not port:
            raise SinkOpenError(f"{scheme}://…: host or port are missing", advice=f"Give {form}.")
        if "/APP/KEY" in form and parts.path.strip("/").count("/") < 1:
            raise SinkOpenError(f"{scheme}://{host}: the stream key is missing", advice=f"Give {form}.")
        shown_host = f"[{host}]" if ":" in host else host
        shown = f"{scheme}://{shown_host}" + (f":{port}" if given else "")
        trusted = authorities(ca_file) if scheme in _ENCRYPTED else None
        url = spec.removeprefix(_WHIP) + (f"?{protocol.query}" if protocol.query and not parts.query else "")
        bearer = ""
        if protocol.muxer == "whip" and "@" in parts.netloc:
            given_before, _, place = parts.netloc.rpartition("@")
            bearer = unquote(given_before.rpartition(":")[2])
            url = url.replace(parts.netloc, place, 1)
        return cls(url, shown, host, port, protocol, trusted, bearer)

    @property
    def tls(self) -> dict[str, str]:
        """For FFmpeg, which believes every certificate unless it is told not to."""
        return {} if self.trusted is None else {"tls_verify": "1", "ca_file": str(self.trusted)}

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
                if self.trusted is not None:
                    context = ssl.create_default_context(cafile=self.trusted)
                    context.wrap_socket(connection, server_hostname=self.host).close()
        except socket.gaierror:
            raise self._unknown_host() from None
        except ConnectionRefusedError:
            raise self.failure("nobody listens there", "Start the server, or check the port.") from None
        except TimeoutError:
            raise self.failure(f"no answer within {timeout_s:g} s", "Check the address, and the firewall.") from None
        except ssl.SSLCertVerificationError as error:
            words = f"its certificate is not to be trusted ({error.verify_message.rstrip('.')})"
            advice = "Check the host's name; a server of your own needs its authority in stream.ca_file."
            raise self.failure(words, advice) from None
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
