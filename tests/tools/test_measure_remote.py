import re

import pytest

from tests.contracts.test_net import scaling_model
from tests.fakes.inference_server import FakeInferenceServer
from tools import measure_remote


def _told(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """Its medians in milliseconds, by what was timed."""
    lines = capsys.readouterr().out.splitlines()
    return {found[1]: float(found[2]) for line in lines if (found := re.match(r"(\w+) +p50 +([\d.]+) ms", line))}


def test_it_tells_the_whole_and_its_parts(capsys: pytest.CaptureFixture[str]) -> None:
    with FakeInferenceServer({"m": scaling_model()}) as there:
        measure_remote.main([f"grpc://{there.place}", "m", "--runs", "20"])
    told = _told(capsys)
    assert list(told) == ["whole", "packing", "wait", "unpacking"]
    assert 0 < told["wait"] <= told["whole"]


def test_without_a_server_it_brings_one_that_computes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    measure_remote.main(["bare", "--runs", "3"])
    assert _told(capsys)["wait"] > 0
