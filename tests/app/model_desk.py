"""A store of models at a desk: a server that hands out one file, and what was put on record."""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
from onnx import helper

from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.adapters.onnx.container import read_graph
from facefusion_live.adapters.web.download import HttpDownload
from facefusion_live.app import model_store as module
from facefusion_live.app.model_store import ModelStore
from facefusion_live.domain.model_card import ModelCard
from tests.adapters import onnx_graphs
from tests.adapters.web_server import Server
from tests.support import RESOURCES

WEIGHTS = 200_000


def converter_bytes(folder: Path, seed: int = 1) -> bytes:
    """A converter of about a megabyte and a half: it must come in several pieces."""
    path = folder / "made.onnx"
    matrix = np.random.default_rng(seed).normal(size=(512, 2 * WEIGHTS // 512)).astype(np.float32)
    nodes = [helper.make_node("MatMul", ["embedding", "matrix"], ["converted"])]
    shape = (1, matrix.shape[1])
    onnx_graphs.save(path, nodes, {"embedding": (1, 512)}, {"converted": shape}, {"matrix": matrix})
    body = path.read_bytes()
    path.unlink()
    return body


class Desk:
    """A store, what was put on record, and a server with the model that it wants."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder, self.server = folder, server
        self.accepted: list[tuple[str, int]] = []
        self.derived: list[tuple[str, str, str]] = []
        self.pauses: list[float] = []
        self.tried: list[Path] = []
        self.catalog = Catalog(folder, RESOURCES / "models", RESOURCES / "cards")
        self.store = ModelStore(
            folder,
            self.catalog,
            look=read_graph,
            try_out=self.tried.append,
            accepted=lambda card: self.accepted.append((card.id, len(server.requests))),
            derived=lambda card, parent, sha256: self.derived.append((card.id, parent.id, sha256)),
            download=HttpDownload(sleep=self.pauses.append, timeout_s=2),
        )

    def card(self, *urls: str, **changes: object) -> ModelCard:
        addresses = urls or (f"{self.server.url}/a.onnx",)
        return dataclasses.replace(self.catalog.card("crossface_ghost"), urls=addresses, **changes)  # type: ignore[arg-type]

    def pull(self, card: ModelCard) -> module.Installed:
        return self.store.pull(card, lambda _have, _total: None)

    @property
    def names(self) -> set[str]:
        """What lies in the folder, without locks."""
        return {path.name for path in self.folder.iterdir() if path.suffix != ".lock"}


def sha(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


FILE = "crossface_ghost.onnx"
