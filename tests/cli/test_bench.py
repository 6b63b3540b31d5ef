"""The benchmark's figures are complete and its words are clear. How large they are is nobody's business here."""

import errno
import json
import time
from pathlib import Path
from typing import Any

import pytest

from facefusion_live.adapters.onnx import random_swapper
from facefusion_live.app import audit_bench, bench_compare, benchmark, model_bench, paste_bench, render_bench
from facefusion_live.cli.main import run_command_line
from facefusion_live.domain.errors import FaceFusionLiveError
from facefusion_live.engine.trail import AuditTrail

STAGES = {
    *(
        "content",
        "wait",
        "track",
        "look",
        "detect",
        "choose",
        "hands",
        "anchor",
        "drift",
        "identify",
        "swap",
        "occlude",
        "glasses",
    ),
    "inference",
    *("compose", "capture_to_picture", "capture_to_emit"),
}


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))


def figures(scale: float = 1.0) -> dict[str, Any]:
    """As `benchmark.measure` gives them."""
    return {
        "fps": 30.0 * scale,
        "cpu_ms_per_frame": 20.0 * scale,
        "start_s": 1.0 * scale,
        "peak_memory_mib": 300.0 * scale,
        "latency_ms": {"capture_to_emit": {"p50": 15.0 * scale, "p95": 25.0 * scale, "p99": 30.0 * scale}},
    }


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "measure_apart", lambda *_: figures(2.0))


@pytest.mark.parametrize("pace", benchmark.PACES)
def test_a_job_is_measured_in_full(pace: benchmark.Pace, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["bench", "job", "720p 3x200", "--pace", pace, "--seconds", "0.5"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["latency_ms"]) == STAGES
    assert set(told["latency_ms"]["swap"]) == {"p50", "p95", "p99"}
    assert told["frames"]["swapped"] > 1
    assert told["leaks"] == 0
    assert min(told[name] for name in ("fps", "cpu_ms_per_frame", "start_s", "peak_memory_mib")) > 0
    assert {"capture", "inference", "render"} <= set(told["threads"])
    assert told["system_threads"] >= len(told["threads"])
    assert told["opencv_threads"] == 1


def test_a_job_runs_in_a_process_of_its_own() -> None:
    told = benchmark.measure_apart(benchmark.job_named("720p 1x200"), "offline", 0.5)
    assert told["frames"]["swapped"] > 1
    assert 0 < told["start_s"] < 60


def test_a_job_that_fails_apart_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "this_program", lambda: ["false"])
    with pytest.raises(FaceFusionLiveError, match="720p 1x200, live: the job failed"):
        benchmark.measure_apart(benchmark.job_named("720p 1x200"), "live", 0.5)


def test_a_session_that_ends_before_its_time_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark.LiveSession, "wait", lambda *_: True)
    with pytest.raises(FaceFusionLiveError, match="ended before"):
        benchmark.measure(benchmark.job_named("720p 1x200"), "offline", 0.5)


def test_too_few_frames_make_no_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "_LEAST_FRAMES", 10_000)
    with pytest.raises(FaceFusionLiveError, match="frames were swapped in"):
        benchmark.measure(benchmark.job_named("720p 1x200"), "offline", 0.5)


def test_a_missing_figure_agrees_with_nothing() -> None:
    told = list(bench_compare.ratios({"live": figures()}, {"live": {}}))
    assert told
    assert not any(ratio.agrees for ratio in told)


def test_every_job_is_what_its_name_says_and_fits() -> None:
    names = [job.name for job in benchmark.JOBS]
    assert len(set(names)) == len(names)
    assert {job.size_wh for job in benchmark.JOBS} == {(1280, 720), (1920, 1080)}
    assert {job.face_px for job in benchmark.JOBS} == {200, 360, 700}
    assert {job.faces for job in benchmark.JOBS} == {1, 3}
    for job in benchmark.JOBS:
        assert benchmark.job_named(job.name) is job
        assert job.faces * job.face_px < job.size_wh[0]
        assert 1.2 * job.face_px < job.size_wh[1]


@pytest.mark.usefixtures("quick")
def test_all_jobs_make_a_table_and_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bench.json"
    assert run_command_line(["bench", "--json", str(file), "--seconds", "1"]) == 0
    out = capsys.readouterr().out
    told = json.loads(file.read_text())
    assert list(told["jobs"]) == [job.name for job in benchmark.JOBS]
    assert all(set(paces) == {"live", "offline"} for paces in told["jobs"].values())
    assert all(name in out for name in told["jobs"])
    assert {"processor", "cores", "memory_mib", "system", "python", "versions"} <= set(told["machine"])
    assert {"numpy", "av", "facefusion-live"} <= set(told["machine"]["versions"])
    assert told["seconds"] == 1


@pytest.mark.usefixtures("quick")
def test_a_comparison_tells_ratios_of_new_to_old(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = {"jobs": {"720p 1x200": {"live": figures(), "offline": figures()}, "1080p 1x200": {"live": {}}}}
    (tmp_path / "old.json").write_text(json.dumps(old))
    words = ["--only", "720p 1x200", "--only", "1080p 1x200", "--only", "1080p 3x200"]
    assert run_command_line(["bench", *words, "--compare", str(tmp_path / "old.json")]) == 0
    _, comparison = capsys.readouterr().out.split("new / old")
    rows = [line.split() for line in comparison.splitlines()[1:]]
    assert ["720p", "1x200", *["2.00", "!"] * 6] in rows
    assert ["1080p", "1x200", *["-"] * 6] in rows
    assert "3x200" not in comparison
    assert "0 of 6 figures agree within the stated spread" in comparison


@pytest.mark.usefixtures("quick")
def test_a_run_agrees_with_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    words = ["bench", "--only", "720p 1x200", "--runs", "2"]
    assert run_command_line([*words, "--json", str(first)]) == 0
    assert run_command_line([*words, "--compare", str(first), "--json", str(second)]) == 0
    assert "6 of 6 figures agree" in capsys.readouterr().out
    told = json.loads(second.read_text())
    assert told["jobs"]["720p 1x200"]["live"]["runs"] == told["runs"] == 2
    assert all(ratio["agrees"] for ratio in told["compared"]["720p 1x200"])


def test_several_runs_are_told_by_their_median_and_spread() -> None:
    runs = [
        {"fps": fps, "late": {"p50": p50}, "threads": ["a"], "none": None}
        for fps, p50 in ((30, 10), (31, 20), (29, 12))
    ]
    told = bench_compare.middle(runs)
    assert (told["fps"], told["late"], told["threads"], told["none"], told["runs"]) == (30, {"p50": 12}, ["a"], None, 3)
    assert told["spread"] == {"fps": round(2 / 30, 4), "late.p50": round(10 / 12, 4)}


@pytest.mark.parametrize(("new", "agrees"), [(1.0, True), (1.12, True), (0.88, True), (1.14, False), (0.86, False)])
def test_a_difference_within_the_spread_of_both_agrees(*, new: float, agrees: bool) -> None:
    old = {"live": {"start_s": 1.0, "spread": {"start_s": 0.1}}}
    now = {"live": {"start_s": new, "spread": {"start_s": 0.0}}}
    (start,) = [ratio for ratio in bench_compare.ratios(old, now) if ratio.title == "start"]
    assert (start.allowed, start.agrees) == (0.1 + bench_compare.LEAST_SPREAD, agrees)


BAD_WORDS = {
    "a job of no such name": (("--only", "4k 9x9"), "no job '4k 9x9'"),
    "a parameter": (("--mask.feather", "0.1"), "bench takes no parameters"),
    "no time": (("--seconds", "0"), "--seconds 0"),
    "no runs": (("--runs", "0"), "--runs 0"),
    "a comparison with nothing": (("--compare", "none.json"), "none.json holds no benchmark"),
    "a file that cannot be written": (("--json", "/proc/bench.json"), "bench.json cannot be written"),
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("case", BAD_WORDS)
def test_bad_words_are_refused(case: str, capfd: pytest.CaptureFixture[str]) -> None:
    words, complaint = BAD_WORDS[case]
    assert run_command_line(["bench", *words]) == 2
    err = capfd.readouterr().err
    assert complaint in err
    assert err.count("\n") == 1


NO_BENCHMARKS = (
    "no json",
    "[]",
    "{}",
    '{"jobs": 3}',
    '{"jobs": {}}',
    '{"jobs": {"720p 1x200": 3}}',
    '{"jobs": {"720p 1x200": {"live": 3}}}',
    '{"jobs": {"720p 1x200": {"live": {"spread": {"fps": "wide"}}}}}',
)


@pytest.mark.parametrize("content", NO_BENCHMARKS)
def test_what_is_no_benchmark_is_not_compared_with(
    content: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "old.json").write_text(content)
    assert run_command_line(["bench", "--compare", str(tmp_path / "old.json")]) == 2
    assert "holds no benchmark" in capfd.readouterr().err


@pytest.mark.parametrize("command", [(), ("paste",), ("render",)])
def test_a_file_that_cannot_be_written_is_told_before_anything_is_measured(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(benchmark, "measure_apart", never)
    monkeypatch.setattr(paste_bench, "measure", never)
    monkeypatch.setattr(render_bench, "measure", never)
    assert run_command_line(["bench", *command, "--json", str(tmp_path / "no" / "b.json")]) == 2
    assert "b.json cannot be written" in capfd.readouterr().err


@pytest.mark.usefixtures("quick")
def test_an_older_file_is_replaced_only_by_a_whole_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "b.json"
    file.write_text("older")

    def broken(*_: object) -> None:
        raise FaceFusionLiveError("the job failed")

    monkeypatch.setattr(benchmark, "measure_apart", broken)
    assert run_command_line(["bench", "--json", str(file)]) != 0
    assert file.read_text() == "older"


@pytest.mark.usefixtures("quick")
def test_a_comparison_with_other_jobs_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "old.json").write_text(json.dumps({"jobs": {"4k": {"live": figures()}}}))
    assert run_command_line(["bench", "--only", "720p 1x200", "--compare", str(tmp_path / "old.json")]) == 0
    assert "none of these jobs" in capsys.readouterr().out


def test_both_pastes_show_the_same() -> None:
    rows = paste_bench.measure(rounds=1)
    assert [(row["face_px"], row["turned"]) for row in rows] == [
        (face_px, turned) for face_px in (200, 360, 700) for turned in (False, True)
    ]
    for row in rows:
        assert row["largest_difference"] <= 2
        assert row["opencv_threads"] == 1
        assert row["ours_ms"] > 0
        assert row["ratio"] == pytest.approx(row["ours_ms"] / row["float32_ms"], rel=0.05)


def test_the_paste_command_tells_and_writes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = paste_bench.measure(rounds=1)
    monkeypatch.setattr(paste_bench, "measure", lambda: rows)
    assert run_command_line(["bench", "paste", "--json", str(tmp_path / "paste.json")]) == 0
    assert "700 px" in capsys.readouterr().out
    assert json.loads((tmp_path / "paste.json").read_text())["paste"] == rows


@pytest.mark.usefixtures("graphics")
def test_the_render_command_compares_processor_and_device(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = render_bench.measure(rounds=4)
    assert [(row["size"], row["backend"]) for row in rows] == [
        (size, backend) for size in ("720p", "1080p") for backend in ("cpu", "gl")
    ]
    assert all(row["fps"] == pytest.approx(1000 / row["p50_ms"], rel=0.05) for row in rows)
    monkeypatch.setattr(render_bench, "measure", lambda: rows)
    assert run_command_line(["bench", "render", "--json", str(tmp_path / "render.json")]) == 0
    assert "1080p" in capsys.readouterr().out
    assert json.loads((tmp_path / "render.json").read_text())["render"] == rows


def test_the_audit_trail_is_measured_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = AuditTrail.record

    def slow(trail: AuditTrail, action: str, *words: Any, **others: Any) -> None:
        time.sleep(0.03 if action == "settings.change" else 0)
        record(trail, action, *words, **others)

    monkeypatch.setattr(AuditTrail, "record", slow)  # what a call takes shows in every third frame with the record
    words = [
        "bench",
        "audit",
        "--folder",
        str(tmp_path),
        "--frames",
        "100",
        "--live-frames",
        "240",
        "--events",
        "500",
        "--json",
    ]
    assert run_command_line(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["intact"]
    assert told["added_ms"] > 3, "a third of 30 ms, on a machine however busy"
    assert told["with_p99_ms"] > 30
    assert told["without_p50_ms"] > 0
    assert told["added_p99_ms"] == pytest.approx(told["with_p99_ms"] - told["without_p99_ms"])
    assert min(told["added_error_ms"], told["noise_p99_ms"]) >= 0
    assert told["live_record_p50_us"] > 30_000


def test_the_models_command_tells_the_net_and_what_is_around_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(random_swapper, "CHANNELS", 256)
    monkeypatch.setattr(random_swapper, "BLOCKS", 1)
    monkeypatch.setattr(model_bench, "_ROUNDS", 2)
    assert run_command_line(["bench", "models", "--json", str(tmp_path / "models.json")]) == 0
    shown = capsys.readouterr().out
    assert all(words in shown for words in ("1 thread ", "2 threads", "512 px"))
    told = json.loads((tmp_path / "models.json").read_text())
    assert [row["threads"] for row in told["net"]] == [1, 2]
    assert all(0 < row["p50_ms"] <= row["p95_ms"] for row in told["net"])
    assert [row["edge_px"] for row in told["around"]] == [128, 256, 512]
    for row in told["around"]:
        assert row["tensors_differ_by"] < 1e-6
        assert row["pictures_differ_by"] <= 1


def test_no_room_for_the_benchmarks_net_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(model_bench, "write_random_swapper", full)
    assert run_command_line(["bench", "models"]) != 0
    assert "550 MB, cannot be written" in capsys.readouterr().err


def test_too_few_pictures_to_compare_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_bench, "_LEAST_PAIRS", 99)
    words = ["bench", "audit", "--folder", str(tmp_path), "--frames", "100", "--live-frames", "100", "--events", "500"]
    assert run_command_line(words) == 3
    assert "too few pictures were composed to compare. Measure more pictures" in capsys.readouterr().err
