"""Nets on a server: as the settings ask for it, told and put on record."""

from collections.abc import Callable, Mapping
from pathlib import Path

from facefusion_live.adapters.remote.server import InferenceServer
from facefusion_live.adapters.sinks.trust import authorities
from facefusion_live.domain.disclosure import LEAST_REASON, MOST_REASON
from facefusion_live.domain.errors import ServerOpenError, SinkOpenError
from facefusion_live.domain.ports import EventLog
from facefusion_live.domain.remote import ServerAddress, tasks_of
from facefusion_live.domain.settings import Inference, Settings

_OFFLINE_S = 30.0
"""A server that is started again loads its nets first."""
Served = Mapping[str, object]
"""Who computes a net: `host`, `server`, `server_version`, `model_version`, `encrypted`, `metadata_sha256`, …"""


def open_server(
    settings: Settings,
    told: Callable[[Served], None],
    noticed: Callable[[str], None] = lambda _words: None,
    *,
    offline: bool = False,
) -> InferenceServer | None:
    """The server that settings name; None where they name none. Nobody is asked before the first net is wanted.

    Args:
        settings: At the start.
        told: Told who computes a net before any picture of a face goes there, and again when that changes. Thread:
            whoever opens a net, or inference.
        noticed: Told in words that the server is lost, and that it is back. Thread: as `told`.
        offline: Every frame counts: one that the server does not answer waits until it is back.
    """
    wanted = settings.inference
    if not wanted.remote.strip():
        return None
    address = ServerAddress.parse(wanted.remote)
    return InferenceServer(
        address,
        tasks_of(wanted.remote_tasks),
        timeout_s=wanted.remote_timeout_ms / 1000,
        patience_s=_OFFLINE_S if offline else 0.0,
        trusted=lambda: _vouched(address, wanted),
        told=told,
        noticed=noticed,
    )


def tell_served(events: EventLog, served: Served) -> None:
    """Put on record who computes a net."""
    events.record("model.load", f"model:{served['model']}", "success", dict(served))


def in_words(served: Served) -> str:
    """For people: whither pictures of faces go."""
    plain = ", unencrypted" if is_exposed(served) else ""
    return f"{served['model']} runs on {served['host']}: pictures of faces go there{plain}"


def is_exposed(served: Served) -> bool:
    """Whether they leave this machine without encryption."""
    return not served["encrypted"] and not ServerAddress.parse(f"grpc://{served['host']}").is_here


def _vouched(address: ServerAddress, wanted: Inference) -> Path | str:
    """Who vouches for the server (PEM); or why nobody must, empty where nothing leaves this machine.

    Raises:
        ServerOpenError: It may not, or the user's list holds no certificates.
    """
    if address.encrypted:
        try:
            return authorities(wanted.remote_ca)
        except SinkOpenError as error:
            advice = "Give inference.remote_ca a list of certificates (PEM), or nothing."
            raise ServerOpenError(str(error), advice=advice) from None
    if address.is_here:
        return ""
    reason = " ".join(wanted.remote_plain.split())
    if len(reason) < LEAST_REASON:
        raise ServerOpenError(
            "pictures of faces go to another machine encrypted, or for a reason",
            advice='Use grpcs://, or say why not, as in --inference.remote_plain "a cable of our own".',
        )
    return reason[:MOST_REASON]
