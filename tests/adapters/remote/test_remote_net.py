"""A net on a server that does what the test tells it to: lost, late, wrong, hostile, and back."""

import contextlib
import importlib
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.adapters.remote import messages, net, tensors
from facefusion_live.adapters.remote.net import Described, RemoteNet
from facefusion_live.adapters.remote.server import InferenceServer
from facefusion_live.domain.errors import BadInputError, InferenceError, ServerOpenError
from facefusion_live.domain.nets import TensorSpec
from facefusion_live.domain.remote import ServerAddress
from tests.adapters.sinks.servers import free_port
from tests.adapters.sinks.tls import Authority
from tests.contracts.test_net import CARD, SHAPE, X, scaling_model
from tests.fakes.inference_server import FakeInferenceServer
from tests.support import RESOURCES

ONE = np.float32([1])
OTHER = Catalog(RESOURCES / "cards").card("blendswap_256")
TASKS = frozenset({"swapper"})


@pytest.fixture
def there() -> Iterator[FakeInferenceServer]:
    with FakeInferenceServer({CARD.id: scaling_model()}) as server:
        yield server


def client(
    place: str, *, timeout_s: float = 5.0, trusted: Path | None = None, told: Any = lambda _facts: None
) -> InferenceServer:
    scheme = "grpc" if trusted is None else "grpcs"
    address = ServerAddress.parse(f"{scheme}://{place}")
    return InferenceServer(address, TASKS, timeout_s=timeout_s, trusted=lambda: trusted or "", told=told)


def until(happens: Callable[[], bool], patience_s: float = 15.0) -> float:
    """Wait for it; how long it took, in seconds."""
    begun_s = time.monotonic()
    while not happens():
        assert time.monotonic() - begun_s < patience_s, "it did not happen"
        time.sleep(0.02)
    return time.monotonic() - begun_s


def answers(remote: RemoteNet) -> bool:
    try:
        remote.run(X, ONE)
    except InferenceError:
        return False
    return True


def test_what_is_said_is_the_protocol() -> None:
    """Bytes worked out by hand from the numbers of the protocol's fields: (number << 3 | kind), length, content."""
    spec = TensorSpec("x", (1, 2), np.dtype(np.float32))
    request = tensors.request("m", [spec], ["y"], [np.float32([[1, -2]])])
    raw = b"\x00\x00\x80\x3f\x00\x00\x00\xc0"
    tensor = b"\x0a\x01x" + b"\x12\x04FP32" + b"\x1a\x02\x01\x02"
    wanted = b"\x0a\x01m" + b"\x2a\x0d" + tensor + b"\x32\x03\x0a\x01y" + b"\x3a\x08" + raw
    assert request == wanted
    wire = b"\x0a\x01m\x12\x013" + b"\x2a\x0d" + tensor + b"\x32\x08" + raw
    answer = tensors.answer(wire, ["x"])
    assert answer.version == "3"
    np.testing.assert_array_equal(answer.tensors[0], [[1, -2]])


@given(st.data())
@settings(max_examples=300)
def test_whatever_a_server_says_is_read_or_refused(data: st.DataObject) -> None:
    """An answer that was true before some of its bytes were changed, cut or put in."""
    true = messages.ModelInferResponse(model_name="m", model_version="3", raw_output_contents=[bytes(8), bytes(4)])
    true.outputs.add(name="x", datatype="FP32", shape=[1, 2])
    true.outputs.add(name="y", datatype="FP16", shape=[2])
    wire = true.SerializeToString()
    at = data.draw(st.integers(0, len(wire)))
    wire = wire[:at] + data.draw(st.binary(max_size=6)) + wire[at + data.draw(st.integers(0, 6)) :]
    with contextlib.suppress(InferenceError):
        assert [each.dtype.kind in "fiu" for each in tensors.answer(wire, ["x", "y"]).tensors] == [True, True]


@pytest.mark.parametrize("length", [1, 31, 32, 4095, 4096, 600_000])
def test_protobuf_reads_a_request_of_any_length(length: int) -> None:
    given = np.arange(length, dtype=np.float32)
    spec = TensorSpec("x", (None,), np.dtype(np.float32))
    read = messages.ModelInferRequest.FromString(tensors.request("m", [spec, spec], ["y"], [given, given[::-1]]))
    assert [list(each.shape) for each in read.inputs] == [[length], [length]]
    assert list(read.raw_input_contents) == [given.tobytes(), given[::-1].tobytes()]


def test_who_computes_is_told_before_any_face_goes_there(there: FakeInferenceServer) -> None:
    told: list[Mapping[str, object]] = []
    server = client(there.place, told=told.append)
    server.net(CARD)
    [facts] = told
    assert facts["model"] == CARD.id
    assert (facts["host"], facts["server"], facts["server_version"]) == (there.place, "fake", "9")
    assert (facts["model_version"], facts["encrypted"]) == ("1", False)
    assert "reason" not in facts
    assert len(str(facts["metadata_sha256"])) == 64
    # All that went there so far is a run on nothing.
    assert [float(abs(fed["x"]).max()) for fed in there.models[CARD.id].seen] == [0.0]


def test_why_nobody_vouches_for_it_is_told(there: FakeInferenceServer) -> None:
    told: list[Mapping[str, object]] = []
    address = ServerAddress.parse(f"grpc://{there.place}")
    InferenceServer(address, TASKS, timeout_s=5, trusted=lambda: "our own cable", told=told.append).net(CARD)
    assert told[0]["reason"] == "our own cable"


def test_another_version_in_mid_run_is_told_once(there: FakeInferenceServer) -> None:
    told: list[Mapping[str, object]] = []
    server = client(there.place, told=told.append)
    remote = server.net(CARD)
    remote.run(X, ONE)
    there.models[CARD.id].version = "2"
    remote.run(X, ONE)
    remote.run(X, ONE)
    assert [facts["model_version"] for facts in told] == ["1", "2"]
    assert server.served[CARD.id]["model_version"] == "2"


def test_two_versions_that_take_turns_are_not_told_at_every_frame(there: FakeInferenceServer) -> None:
    told: list[Mapping[str, object]] = []
    server = client(there.place, told=told.append)
    remote = server.net(CARD)
    for run in range(20):
        there.models[CARD.id].version = "12"[run % 2]
        remote.run(X, ONE)
    assert [facts["model_version"] for facts in told] == ["1", "2"]


def test_a_server_that_answers_in_lists_is_read_too(there: FakeInferenceServer) -> None:
    model = there.models[CARD.id]
    model.raw, model.outputs = False, {"scaled": ("FP32", SHAPE)}
    np.testing.assert_allclose(client(there.place).net(CARD).run(X, np.float32([2]))[0], 2 * X, rtol=1e-6)


def test_the_wait_is_counted_for_the_thread_that_waits(there: FakeInferenceServer) -> None:
    server = client(there.place)
    remote = server.net(CARD)
    before_ns = server.waited_ns()
    begun_ns = time.monotonic_ns()
    remote.run(X, ONE)
    assert 0 < server.waited_ns() - before_ns <= time.monotonic_ns() - begun_ns


def test_a_late_answer_is_an_error_at_the_deadline(there: FakeInferenceServer) -> None:
    remote = client(there.place, timeout_s=0.2).net(CARD)
    there.hang.clear()
    begun_s = time.monotonic()
    with pytest.raises(InferenceError, match="did not answer in time") as late:
        remote.run(X, ONE)
    assert 0.15 < time.monotonic() - begun_s < 2
    assert "inference.remote_timeout_ms" in late.value.advice
    there.hang.set()
    until(lambda: answers(remote))


def test_while_a_server_is_away_runs_fail_at_once_and_it_is_found_again(there: FakeInferenceServer) -> None:
    remote = client(there.place).net(CARD)
    port = there.port
    there.stop()
    with pytest.raises(InferenceError):
        remote.run(X, ONE)
    for _ in range(20):
        begun_s = time.monotonic()
        with pytest.raises(InferenceError):
            remote.run(X, ONE)
        assert time.monotonic() - begun_s < 0.1
        time.sleep(0.02)
    with FakeInferenceServer({CARD.id: scaling_model()}, port):
        assert until(lambda: answers(remote)) < 8


def test_that_it_is_lost_and_back_is_told_once_however_many_nets_it_runs(there: FakeInferenceServer) -> None:
    there.models[OTHER.id] = scaling_model()
    told: list[str] = []
    address, port = ServerAddress.parse(f"grpc://{there.place}"), there.port
    server = InferenceServer(address, TASKS, timeout_s=5, trusted=str, noticed=told.append)
    nets = [server.net(CARD), server.net(OTHER)]
    there.hang.clear()
    there.stop()
    until(lambda: [answers(each) for each in nets] == [False, False] and len(server.problems) == 1)
    until(lambda: [answers(each) for each in nets] == [False, False] and len(told) == 1)
    assert told == [f"the server {address} is not there"]
    with FakeInferenceServer({CARD.id: scaling_model(), OTHER.id: scaling_model()}, port):
        until(lambda: [answers(each) for each in nets] == [True, True])
    assert told[1:] == [f"the server {address} is back"]
    assert server.problems == ()


def test_one_late_answer_is_no_loss(there: FakeInferenceServer) -> None:
    told: list[str] = []
    address = ServerAddress.parse(f"grpc://{there.place}")
    server = InferenceServer(address, TASKS, timeout_s=0.2, trusted=str, noticed=told.append)
    remote = server.net(CARD)
    there.hang.clear()
    assert not answers(remote)
    there.hang.set()
    until(lambda: answers(remote))
    assert told == []


def test_another_net_under_the_same_name_is_not_taken_up(there: FakeInferenceServer) -> None:
    remote = client(there.place).net(CARD)
    port = there.port
    there.stop()
    assert not answers(remote)
    other = scaling_model()
    other.inputs["x"] = ("FP32", (1, 3, 8, 8))
    said: list[str] = []

    def is_refused() -> bool:
        try:
            remote.run(X, ONE)
        except InferenceError as error:
            said.append(str(error))
        return any("came back with another" in each for each in said)

    with FakeInferenceServer({CARD.id: other}, port):
        until(is_refused)


def test_a_net_that_is_not_ready_any_more_is_waited_for(there: FakeInferenceServer) -> None:
    remote = client(there.place).net(CARD)
    there.models[CARD.id].ready = False
    assert not answers(remote)
    time.sleep(0.5)
    assert not answers(remote)
    there.models[CARD.id].ready = True
    until(lambda: answers(remote))


def _shorter(answer: Any) -> Any:
    answer.raw_output_contents[0] = answer.raw_output_contents[0][:-4]
    return answer


def _torn(answer: Any) -> Any:
    answer.raw_output_contents[0] = answer.raw_output_contents[0][:-3]
    return answer


def _without(answer: Any) -> Any:
    del answer.outputs[0], answer.raw_output_contents[0]
    return answer


def _unpaired(answer: Any) -> Any:
    del answer.raw_output_contents[0]
    return answer


def _backwards(answer: Any) -> Any:
    answer.outputs[0].shape[:] = [-1, -3, 4, 4]
    return answer


def _huge(answer: Any) -> Any:
    answer.outputs[0].shape[:] = [2**40, 2**40]
    return answer


def _text(answer: Any) -> Any:
    answer.outputs[0].datatype = "BYTES"
    return answer


@pytest.mark.parametrize("spoil", [_shorter, _torn, _without, _unpaired, _backwards, _huge, _text])
def test_an_answer_that_is_not_as_it_must_be_is_an_error(
    there: FakeInferenceServer, spoil: Callable[[Any], Any]
) -> None:
    remote = client(there.place).net(CARD)
    there.spoil = spoil
    with pytest.raises(InferenceError, match="the server's answer"):
        remote.run(X, ONE)


def test_a_net_that_does_not_run_is_told_at_the_start(there: FakeInferenceServer) -> None:
    there.spoil = _shorter
    server = client(there.place)
    with pytest.raises(ServerOpenError, match="does not run there"):
        server.net(CARD)
    assert server.served == {}


def test_a_net_that_is_not_there_is_told_with_its_name(there: FakeInferenceServer) -> None:
    del there.models[CARD.id]
    server = client(there.place)
    assert not server.has(CARD)
    with pytest.raises(ServerOpenError, match=f"has no net {CARD.id} that is ready") as missing:
        server.net(CARD)
    assert CARD.id in missing.value.advice


def test_types_that_are_not_sent_are_refused(there: FakeInferenceServer) -> None:
    there.models[CARD.id].inputs["x"] = ("BYTES", SHAPE)
    with pytest.raises(ServerOpenError, match="asks for BYTES"):
        client(there.place).net(CARD)


def test_a_server_that_is_not_there_is_told_with_advice() -> None:
    server = client(f"127.0.0.1:{free_port()}")
    with pytest.raises(ServerOpenError, match="nobody listens there") as missing:
        server.net(CARD)
    assert isinstance(missing.value, BadInputError)
    assert missing.value.advice == "Start the server, or check the port."
    with pytest.raises(ServerOpenError, match="nobody listens there"):
        server.has(CARD)


def test_a_host_that_does_not_exist_is_told() -> None:
    with pytest.raises(ServerOpenError, match="no such host"):
        client("nobody.invalid:8001").net(CARD)


def test_over_tls_the_server_is_believed_for_its_authority(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    told: list[Mapping[str, object]] = []
    with FakeInferenceServer({CARD.id: scaling_model()}, certificate=authority.vouched("127.0.0.1")) as there:
        remote = client(there.place, trusted=authority.file, told=told.append).net(CARD)
        np.testing.assert_allclose(remote.run(X, ONE)[0], X, rtol=1e-6)
    assert told[0]["encrypted"] is True
    assert len(str(told[0]["certificate_sha256"])) == 64


@pytest.mark.parametrize(
    ("host", "by_itself", "said"),
    [("127.0.0.1", True, "self-signed certificate"), ("other.studio", False, "not valid for '127.0.0.1'")],
)
def test_a_wrong_certificate_is_not_believed(tmp_path: Path, host: str, by_itself: bool, said: str) -> None:  # noqa: FBT001
    authority = Authority(tmp_path)
    certificate = authority.vouched(host, by_itself=by_itself)
    with FakeInferenceServer({CARD.id: scaling_model()}, certificate=certificate) as there:
        with pytest.raises(ServerOpenError, match="not to be trusted") as refused:
            client(there.place, trusted=authority.file).net(CARD)
        assert said in str(refused.value)
        assert "inference.remote_ca" in refused.value.advice
        assert there.models[CARD.id].seen == []


def test_a_certificate_that_turns_wrong_in_mid_run_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    authority, other = Authority(tmp_path), Authority(tmp_path / "other")
    with FakeInferenceServer({CARD.id: scaling_model()}, certificate=authority.vouched("127.0.0.1")) as there:
        remote, port = client(there.place, trusted=authority.file).net(CARD), there.port
    assert not answers(remote)
    impostor = scaling_model()
    with FakeInferenceServer({CARD.id: impostor}, port, other.vouched("127.0.0.1")):
        begun_s = time.monotonic()
        while time.monotonic() - begun_s < 2.5:
            assert not answers(remote)
            time.sleep(0.05)
    assert impostor.seen == []


def test_tls_is_not_taken_for_granted(tmp_path: Path, there: FakeInferenceServer) -> None:
    with pytest.raises(ServerOpenError, match="does not speak TLS"):
        client(there.place, trusted=Authority(tmp_path).file).net(CARD)


@pytest.mark.parametrize(
    ("frozen", "advice"),
    [(False, "Install it: pip install 'facefusion-live[remote]'"), (True, "This copy was built without it")],
)
def test_without_grpc_there_is_advice(
    there: FakeInferenceServer,
    monkeypatch: pytest.MonkeyPatch,
    frozen: bool,  # noqa: FBT001
    advice: str,
) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    monkeypatch.setattr(sys, "frozen", frozen, raising=False)
    with pytest.raises(ServerOpenError, match="need the package grpcio") as told:
        client(there.place).net(CARD)
    assert told.value.advice.startswith(advice)
    assert ("pip install" in told.value.advice) != frozen


def test_what_ships_with_the_program_runs_here() -> None:
    server = InferenceServer(
        ServerAddress.parse("grpc://127.0.0.1:1"),
        frozenset({"swapper", "enhancer", "recogniser"}),
        timeout_s=1,
        trusted=str,
    )
    catalog = Catalog(RESOURCES / "models", RESOURCES / "cards")
    taken = {card.id for card in catalog.cards() if server.takes(card)}
    assert {"inswapper_128", "gfpgan_1.4", "arcface_w600k_r50", "crossface_ghost"} <= taken
    assert not taken & {"sface_2021dec_int8bq", "face_mesh_attention", "open_nsfw", "yoloface_8n", "2dfan4"}


class _Gone:
    """A `Line` to a server that never comes back, by a clock that is turned by hand."""

    address = ServerAddress.parse("grpc://127.0.0.1:1")

    def __init__(self) -> None:
        self.now_s, self.looks_s = 0.0, [0.0]

    def monotonic(self) -> float:
        return self.now_s

    def monotonic_ns(self) -> int:
        return round(1e9 * self.now_s)

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def infer(self, _request: Any, _timeout_s: float) -> Any:
        raise InferenceError("gone")

    def look(self, _model: str, _timeout_s: float) -> Any:
        self.looks_s.append(self.now_s)
        return SimpleNamespace(is_over=True, answer=lambda: self.infer(None, 0))


def test_a_server_that_stays_away_is_asked_less_and_less(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = _Gone()
    monkeypatch.setattr(net, "time", gone)
    described = Described((TensorSpec("x", (1,), np.dtype(np.float32)),), ("y",), (), "")
    remote = RemoteNet(gone, "m", described, timeout_s=1)  # type: ignore[arg-type]
    for tick in range(800):
        gone.now_s = tick / 100
        with pytest.raises(InferenceError):
            remote.run(ONE)
    pauses = np.diff(gone.looks_s)
    assert pauses.tolist() == pytest.approx([0.1, 0.2, 0.5, 1, 2, 2, 2], abs=0.011)


def test_where_every_frame_counts_a_lost_server_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = _Gone()
    monkeypatch.setattr(net, "time", gone)
    described = Described((TensorSpec("x", (1,), np.dtype(np.float32)),), ("y",), (), "")
    remote = RemoteNet(gone, "m", described, timeout_s=1, patience_s=30)  # type: ignore[arg-type]
    with pytest.raises(InferenceError):
        remote.run(ONE)
    assert 30 <= gone.now_s < 31
    with pytest.raises(InferenceError):
        remote.run(ONE)
    assert gone.now_s < 31, "it is known to be away: nobody waits again"


def test_where_every_frame_counts_no_frame_is_lost_to_a_restart(there: FakeInferenceServer) -> None:
    address, port = ServerAddress.parse(f"grpc://{there.place}"), there.port
    server = InferenceServer(address, TASKS, timeout_s=5, patience_s=20, trusted=str)
    remote = server.net(CARD)
    there.stop()
    again = threading.Timer(0.5, lambda: started.append(FakeInferenceServer({CARD.id: scaling_model()}, port)))
    started: list[FakeInferenceServer] = []
    again.start()
    np.testing.assert_allclose(remote.run(X, np.float32([2]))[0], 2 * X, rtol=1e-6)
    again.join()
    started[0].stop()
