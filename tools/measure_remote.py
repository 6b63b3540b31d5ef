"""How long one run of a net on a server takes, and how much of it is ours: packing and unpacking, beside the wait.

Usage: python -m tools.measure_remote grpc://HOST:PORT MODEL [--runs 300]
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import grpc
import numpy as np

from facefusion_live.adapters.remote import messages, tensors
from facefusion_live.adapters.remote.line import MODEL_INFER, OPTIONS, Line
from facefusion_live.adapters.remote.net import Described
from facefusion_live.domain.remote import ServerAddress

WARM = 20
PATIENCE_S = 5.0
Infer = Callable[..., bytes]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", type=ServerAddress.parse)
    parser.add_argument("model")
    parser.add_argument("--runs", type=int, default=300)
    asked = parser.parse_args()
    line = Line(asked.address, None)
    net = Described.read(line.described(asked.model, PATIENCE_S))
    server = line.server(PATIENCE_S)
    random = np.random.default_rng(1)
    fed = [random.uniform(-1, 1, [edge or 1 for edge in each.shape]).astype(each.dtype) for each in net.inputs]
    with grpc.insecure_channel(str(asked.address), OPTIONS) as channel:
        # Bytes go in and come out, so that what gRPC would have us do within the call is done, and timed, outside.
        infer = channel.unary_unary(MODEL_INFER)
        took_ms = np.array([_one_run(infer, asked.model, net, fed) for _ in range(WARM + asked.runs)])[WARM:]
    line.close()
    whole, ours = took_ms.sum(1), took_ms[:, [0, 2]].sum(1)
    sent = sum(each.nbytes for each in fed)
    print(f"{asked.model} on {server.name} {server.version}, {asked.runs} runs, {sent / 1024:.0f} KiB sent each time")
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
    tensors.answers(messages.ModelInferResponse.FromString(came), net.outputs)
    done = time.perf_counter()
    return 1e3 * (packed - begun), 1e3 * (answered - packed), 1e3 * (done - answered)


if __name__ == "__main__":
    main()
