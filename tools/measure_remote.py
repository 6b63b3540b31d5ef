"""How long one run of a net on a server takes, and how much of it is ours: packing and unpacking, beside the wait.

Usage: python -m tools.measure_remote grpc://HOST:PORT MODEL [--runs 300]
       python -m tools.measure_remote bare [--runs 300]      a server, in a process of its own, that computes nothing:
                                                             what gRPC and the loopback cost without any server's work
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import numpy as np

from facefusion_live.adapters.remote import messages, tensors
from facefusion_live.adapters.remote.line import MODEL_INFER, OPTIONS, Line
from facefusion_live.adapters.remote.net import Described
from facefusion_live.domain.nets import TensorSpec
from facefusion_live.domain.remote import ServerAddress

WARM = 20
PATIENCE_S = 5.0
HOST = "127.0.0.1"
SHAPE = (1, 3, 256, 256)
Infer = Callable[..., bytes]


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("model", nargs="?", default="")
    parser.add_argument("--runs", type=int, default=300)
    asked = parser.parse_args(words)
    if asked.server == "serve bare":
        _serve()
        return
    if asked.server == "bare":
        inputs = (TensorSpec("x", SHAPE, np.dtype(np.float32)),)
        with _bare() as place:
            _measure(place, "a bare server", "x", Described(inputs, ("y",), (), ""), asked.runs)
        return
    address = ServerAddress.parse(asked.server)
    line = Line(address, None)
    net, server = Described.read(line.described(asked.model, PATIENCE_S)), line.server(PATIENCE_S)
    line.close()
    _measure(str(address), f"{server.name} {server.version}", asked.model, net, asked.runs)


def _measure(place: str, server: str, model: str, net: Described, runs: int) -> None:
    random = np.random.default_rng(1)
    fed = [random.uniform(-1, 1, [edge or 1 for edge in each.shape]).astype(each.dtype) for each in net.inputs]
    with grpc.insecure_channel(place, OPTIONS) as channel:
        # Bytes go in and come out, so that what gRPC would have us do within the call is done, and timed, outside.
        infer = channel.unary_unary(MODEL_INFER)
        took_ms = np.array([_one_run(infer, model, net, fed) for _ in range(WARM + runs)])[WARM:]
    whole, ours = took_ms.sum(1), took_ms[:, [0, 2]].sum(1)
    sent = sum(each.nbytes for each in fed)
    print(f"{model} on {server}, {runs} runs, {sent / 1024:.0f} KiB sent each time")
    rows = {"whole": whole, "packing": took_ms[:, 0], "wait": took_ms[:, 1], "unpacking": took_ms[:, 2]}
    for name, times_ms in rows.items():
        p50, p95 = np.percentile(times_ms, (50, 95))
        print(f"{name:10} p50 {p50:7.2f} ms   p95 {p95:7.2f} ms")
    print(f"{'ours':10} {100 * np.median(ours / whole):.1f} % of the whole (median of the runs)")


def _one_run(infer: Infer, model: str, net: Described, fed: list[np.ndarray[Any, Any]]) -> tuple[float, float, float]:
    """Milliseconds of packing, of the wait for the server, and of unpacking."""
    begun = time.perf_counter()
    sent = tensors.request(model, net.inputs, net.outputs, fed)
    packed = time.perf_counter()
    came = infer(sent, timeout=PATIENCE_S)
    answered = time.perf_counter()
    tensors.answer(came, net.outputs)
    done = time.perf_counter()
    return 1e3 * (packed - begun), 1e3 * (answered - packed), 1e3 * (done - answered)


@contextmanager
def _bare() -> Generator[str]:
    """The place of a server that gives the same picture for every one it gets."""
    words = [sys.executable, "-m", "tools.measure_remote", "serve bare"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as serving:
        assert serving.stdout is not None  # noqa: S101 (as asked for)
        yield serving.stdout.readline().strip()
        serving.communicate()


def _serve() -> None:
    answer = messages.ModelInferResponse(model_name="x", raw_output_contents=[bytes(4 * 3 * 256 * 256)])
    answer.outputs.add(name="y", datatype="FP32", shape=SHAPE)
    wire = answer.SerializeToString()
    service, _, method = MODEL_INFER.strip("/").partition("/")
    handlers = {method: grpc.unary_unary_rpc_method_handler(lambda _asked, _context: wire)}
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, handlers)])
    print(f"{HOST}:{server.add_insecure_port(f'{HOST}:0')}", flush=True)
    server.start()
    sys.stdin.read()
    server.stop(None).wait()


if __name__ == "__main__":
    main()
