"""Against a server of the protocol that others wrote."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.adapters.onnx.session import NetSession
from facefusion_live.adapters.remote.net import RemoteNet
from facefusion_live.domain.errors import InferenceError, ServerOpenError
from tests.adapters import onnx_graphs
from tests.adapters.remote.real_server import RealServer
from tests.adapters.remote.test_remote_net import client, until
from tests.adapters.sinks.tls import Authority, TlsFront
from tests.support import RESOURCES

CATALOG = Catalog(RESOURCES / "cards")
SWAPPER, OTHER = CATALOG.card("uniface_256"), CATALOG.card("blendswap_256")
SHAPE = (1, 3, 256, 256)
RANDOM = np.random.default_rng(1)
PICTURE = RANDOM.uniform(-1, 1, (3, 256, 256)).astype(np.float32)
FED = [RANDOM.uniform(-1, 1, SHAPE).astype(np.float32) for _ in range(2)]


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("graph") / "swapper.onnx"
    return onnx_graphs.probe_swapper(path, 256, SHAPE, picture=PICTURE)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, graph: Path) -> Iterator[RealServer]:
    with RealServer(tmp_path_factory.mktemp("server"), {SWAPPER.id: graph}, version="2026-11") as server:
        yield server


def test_it_says_what_the_file_says_and_computes_the_same(real: RealServer, graph: Path) -> None:
    here, there = NetSession(graph), client(real.place).net(SWAPPER)
    assert there.inputs == here.inputs
    assert list(there.output_names) == list(here.output_names)
    for ours, theirs in zip(here.run(*FED), there.run(*FED), strict=True):
        assert theirs.dtype == np.float32
        np.testing.assert_array_equal(theirs, ours)


def test_who_computes_is_known(real: RealServer) -> None:
    told: list[Mapping[str, object]] = []
    client(real.place, told=told.append).net(SWAPPER)
    assert told[0]["server"] == "studio"
    assert told[0]["model_version"] == "2026-11"


def test_a_net_that_it_does_not_have_is_told(real: RealServer) -> None:
    server = client(real.place)
    assert server.has(SWAPPER)
    assert not server.has(OTHER)
    with pytest.raises(ServerOpenError, match=f"has no net {OTHER.id} that is ready"):
        client(real.place).net(OTHER)


def test_tensors_of_another_shape_are_an_error_not_an_end(real: RealServer) -> None:
    there = client(real.place).net(SWAPPER)
    with pytest.raises(InferenceError, match="could not do it"):
        there.run(np.zeros((1, 3, 8, 8), np.float32), FED[1])
    until(lambda: _runs(there))


def test_over_tls(real: RealServer, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with TlsFront(authority.vouched("127.0.0.1"), real.port, ["h2"]) as front:
        there = client(f"127.0.0.1:{front.port}", trusted=authority.file).net(SWAPPER)
        np.testing.assert_array_equal(there.run(*FED)[0], PICTURE[None])


def test_a_stranger_in_front_of_it_is_not_believed(real: RealServer, tmp_path: Path) -> None:
    certificate = Authority(tmp_path).vouched("127.0.0.1")
    (tmp_path / "ours").mkdir()
    ours = Authority(tmp_path / "ours")
    with (
        TlsFront(certificate, real.port, ["h2"]) as front,
        pytest.raises(ServerOpenError, match="its certificate is not to be trusted"),
    ):
        client(f"127.0.0.1:{front.port}", trusted=ours.file).net(SWAPPER)


def test_killed_and_started_again_it_is_found(tmp_path: Path, graph: Path) -> None:
    with RealServer(tmp_path, {SWAPPER.id: graph}) as server:
        there = client(server.place).net(SWAPPER)
        assert _runs(there)
        server.kill()
        assert not _runs(there)
        server.start()
        until(lambda: _runs(there))


def _runs(net: RemoteNet) -> bool:
    try:
        net.run(*FED)
    except InferenceError:
        return False
    return True
