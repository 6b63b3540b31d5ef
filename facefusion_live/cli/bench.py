"""`facefusion-live bench …`: how fast this machine is, in figures that others can repeat."""

import json as json_format
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from cyclopts import App
from rich.console import Console
from rich.table import Table

from facefusion_live.app import bench_compare
from facefusion_live.domain.errors import BadInputError

bench = App(name="bench", help="Measure how fast this machine is.")

_SECONDS = (0.5, 600)
_RUNS = (1, 20)


@bench.default
def jobs(
    *,
    json: Path | None = None,
    compare: Path | None = None,
    seconds: float = 3.0,
    runs: int = 3,
    only: list[str] | None = None,
) -> int:
    """Run the fixed jobs: 720p and 1080p, faces 200, 360 and 700 pixels wide, one and three. About five minutes.

    Every figure is the median of several runs and has a spread: (largest - least) / median. The jobs take turns, so
    that each of them meets the whole time on the machine.

    Args:
        json: Write everything that was measured here, with the spread of every figure.
        compare: A file written earlier: print the ratios of the new figures to the old ones, and whether they lie
            within the spread of both.
        seconds: How long each run is measured.
        runs: How often each job is run, live and offline.
        only: Name of a job, such as "720p 1x200". Repeat it for several.
    """
    from facefusion_live.app import benchmark  # noqa: PLC0415 (keeps --help quick, and free of cv2)

    # What could spoil the end is tried first: the jobs take minutes.
    before = None if compare is None else _read(compare)
    _check(seconds, runs)
    _check_writable(json)
    chosen = [benchmark.job_named(name) for name in only] if only else benchmark.JOBS
    told: dict[str, Any] = {"machine": benchmark.machine(), "seconds": seconds, "runs": runs}
    console = Console()
    with console.status("") as status:
        told["jobs"] = benchmark.measure_all(chosen, seconds, runs, status.update)
    if before is not None:
        told["compared"] = _compared(before, told)
    if json is not None:
        _write(json, told)
    console.print(_table(told))
    if before is not None:
        console.print(_comparison(told["compared"]))
        console.print(_agreement(told["compared"]))
    return 0


@bench.command
def job(name: str, *, pace: Literal["live", "offline"] = "live", seconds: float = 4.0) -> int:
    """Run one job in this process and print what was measured as JSON.

    Args:
        name: Such as "720p 1x200".
        pace: As it comes, or every frame as fast as it goes.
        seconds: How long it is measured.
    """
    from facefusion_live.app import benchmark  # noqa: PLC0415 (as in jobs)

    _check(seconds, 1)
    print(json_format.dumps(benchmark.measure(benchmark.job_named(name), pace, seconds)))  # noqa: T201
    return 0


@bench.command
def paste(*, json: Path | None = None) -> int:
    """Our paste and blend against a plain float32 one, on the same region, in one run.

    Args:
        json: Write what was measured here.
    """
    from facefusion_live.app import benchmark, paste_bench  # noqa: PLC0415 (as in jobs)

    _check_writable(json)
    rows = paste_bench.measure()
    table = Table("face", "lies", "ours ms", "float32 ms", "ratio", "differ by", box=None)
    for row in rows:
        numbers = [f"{row[key]:.2f}" for key in ("ours_ms", "float32_ms", "ratio")]
        lies = "turned" if row["turned"] else "upright"
        table.add_row(f"{row['face_px']} px", lies, *numbers, f"{row['largest_difference']} levels")
    Console().print(table)
    if json is not None:
        _write(json, {"machine": benchmark.machine(), "paste": rows})
    return 0


@bench.command
def render(*, json: Path | None = None) -> int:
    """Processor against graphics device: pictures composed with every step of the look, in one run.

    Args:
        json: Write what was measured here.
    """
    from facefusion_live.app import benchmark, render_bench  # noqa: PLC0415 (as in jobs)

    _check_writable(json)
    rows = render_bench.measure()
    table = Table("picture", "composed by", "p50 ms", "p95 ms", "frames/s", "device", box=None)
    for row in rows:
        numbers = [f"{row[key]:.2f}" for key in ("p50_ms", "p95_ms")]
        table.add_row(row["size"], row["backend"], *numbers, f"{row['fps']:.0f}", row["device"])
    Console().print(table)
    if json is not None:
        _write(json, {"machine": benchmark.machine(), "render": rows})
    return 0


@bench.command
def models(*, json: Path | None = None) -> int:
    """What a neural swapper costs: a net of inswapper's shape with random weights, and our work around it, in one run.

    Half a minute; 550 MB of room for temporary files.

    Args:
        json: Write what was measured here.
    """
    from facefusion_live.app import benchmark, model_bench  # noqa: PLC0415 (as in jobs)

    _check_writable(json)
    told = model_bench.measure()
    net = Table("net, per face", "first ms", "p50 ms", "p95 ms", box=None)
    for row in told["net"]:
        numbers = [f"{row[key]:.0f}" for key in ("first_ms", "p50_ms", "p95_ms")]
        net.add_row(f"{row['threads']} thread{'s' * (row['threads'] > 1)}", *numbers)
    around = Table(
        "around it", "before ms", "numpy ms", "ratio", "after ms", "numpy ms", "ratio", "differ by", box=None
    )
    for row in told["around"]:
        names = [f"{where}_{what}" for where in ("before", "after") for what in ("ms", "numpy_ms", "ratio")]
        levels = f"{row['pictures_differ_by']} levels"
        around.add_row(f"{row['edge_px']} px", *(f"{row[name]:.2f}" for name in names), levels)
    Console().print(net, around)
    if json is not None:
        _write(json, {"machine": benchmark.machine(), **told})
    return 0


@bench.command
def audit(
    *,
    folder: Path | None = None,
    frames: int = 900,
    live_frames: int = 900,
    events: int = 200_000,
    json: bool = False,
) -> int:
    """What the audit trail costs on this machine's disk. Two minutes; exit code 3 when the log does not verify.

    Args:
        folder: On the disk to measure; the working folder by default.
        frames: Length of the idle loop, at 30 a second.
        live_frames: Length of the live session, at 30 a second.
        events: How many events to store and verify.
        json: Print one JSON object.
    """
    from facefusion_live.app import audit_bench  # noqa: PLC0415 (as in jobs)

    if min(frames, live_frames, events) < 100:
        raise BadInputError("so few say nothing", advice="Give 100 or more of frames and events.")
    place = folder or Path.cwd()
    if not place.is_dir():
        raise BadInputError(f"{place.name} is no folder", advice="Give a folder on the disk to be measured.")
    numbers = asdict(audit_bench.measure(place, frames=frames, live_frames=live_frames, events=events))
    if json:
        print(json_format.dumps(numbers))  # noqa: T201
    else:
        for name, value in numbers.items():
            print(f"{name:20} {format(value, ',.2f') if isinstance(value, float) else value}")  # noqa: T201
    return 0 if numbers["intact"] else 3


def _check(seconds: float, runs: int) -> None:
    for flag, value, (low, high) in (("--seconds", seconds, _SECONDS), ("--runs", runs, _RUNS)):
        if not low <= value <= high:
            raise BadInputError(f"{flag} {value:g} is not allowed", advice=f"Give {low:g} to {high:g}.")


def _read(path: Path) -> dict[str, Any]:
    try:
        told = json_format.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        told = None
    if told is None or not bench_compare.is_benchmark(told):
        raise BadInputError(f"{path.name} holds no benchmark", advice="Give a file that bench --json wrote.")
    return told


def _check_writable(path: Path | None) -> None:
    """Try a file that will be written after minutes of measuring; what stands there stays."""
    if path is None:
        return
    there = path.exists()
    try:
        with path.open("ab"):
            pass
        if not there:
            path.unlink()
    except OSError as error:
        raise _unwritable(path) from error


def _write(path: Path, told: dict[str, Any]) -> None:
    try:
        path.write_text(json_format.dumps(told, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise _unwritable(path) from error


def _unwritable(path: Path) -> BadInputError:
    return BadInputError(f"{path.name} cannot be written", advice="Check the folder's rights and space.")


def _table(told: dict[str, Any]) -> Table:
    columns = ("job", "late p50", "p95", "p99", "live/s", "offline/s", "CPU ms", "MiB", "start s")
    table = Table(*columns, box=None)
    for name, paces in told["jobs"].items():
        live, late = paces["live"], paces["live"]["latency_ms"]["capture_to_emit"]
        speeds = [f"{paces[pace]['fps']:.1f}" for pace in ("live", "offline")]
        costs = [f"{live['cpu_ms_per_frame']:.1f}", f"{live['peak_memory_mib']:.0f}", f"{live['start_s']:.2f}"]
        table.add_row(name, *(f"{late[share]:.0f}" for share in ("p50", "p95", "p99")), *speeds, *costs)
    return table


def _compared(before: dict[str, Any], now: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """New figures over old ones, for the jobs that both have."""
    both = {name: paces for name, paces in now["jobs"].items() if name in before["jobs"]}
    return {
        name: [{**asdict(ratio), "agrees": ratio.agrees} for ratio in bench_compare.ratios(before["jobs"][name], paces)]
        for name, paces in both.items()
    }


def _comparison(compared: dict[str, list[dict[str, Any]]]) -> Table:
    table = Table("new / old", *(title for title, _ in bench_compare.COMPARED), box=None)
    for name, ratios in compared.items():
        table.add_row(name, *(_ratio(ratio) for ratio in ratios))
    return table


def _ratio(ratio: dict[str, Any]) -> str:
    if ratio["value"] is None:
        return "-"
    return f"{ratio['value']:.2f}" + ("" if ratio["agrees"] else " !")


def _agreement(compared: dict[str, list[dict[str, Any]]]) -> str:
    if not compared:
        return "The file has none of these jobs: nothing to compare."
    known = [ratio for ratios in compared.values() for ratio in ratios if ratio["value"] is not None]
    missing = sum(map(len, compared.values())) - len(known)
    agree = sum(ratio["agrees"] for ratio in known)
    words = f"{agree} of {len(known)} figures agree within the stated spread; ! marks the others."
    return words + (f" {missing} are missing on one side." if missing else "")
