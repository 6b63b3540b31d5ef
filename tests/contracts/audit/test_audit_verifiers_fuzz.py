"""Whatever they are given, both verifiers answer with one of the stated codes, with the same, and pass no forgery."""

import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.audit import LogBuilder
from tests.fakes.audit_export import Export, Members
from tests.fakes.audit_verifiers import alone_answers, program_answers

KINDS: dict[str, dict[str, Any]] = {
    "whole": {},
    "filtered": {"wanted": {4, 7}},
    "deflated": {"compression": zipfile.ZIP_DEFLATED},
}
STATED = {0, 2, 10, 11, 12}
EXAMPLES = int(os.environ.get("FFL_FUZZ_EXAMPLES", "50"))
"""More by hand: `FFL_FUZZ_EXAMPLES=2000 pytest tests/contracts/audit -k fuzz --timeout 3600`."""
FUZZ = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def log() -> Any:
    return LogBuilder().session().session(2).log()


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "export.zip"


def members_of(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def check(path: Path, genuine: Members) -> None:
    """Both say the same; and what passes holds the genuine rows."""
    code, verdicts = program_answers(path)
    assert code in STATED
    assert alone_answers(path) == (code, verdicts)
    if code == 0:
        (rows,) = (name for name in genuine if name.endswith("rows.ndjson"))
        assert members_of(path)[rows] == genuine[rows]


@pytest.mark.parametrize("kind", KINDS)
@FUZZ
@given(data=st.data())
def test_bytes_of_an_export_turned_cut_and_put_in(kind: str, place: Path, data: st.DataObject) -> None:
    genuine = members_of(Export(log(), **KINDS[kind]).write(place))
    raw = bytearray(place.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(len(raw) - 1, 0)))
        change = data.draw(st.sampled_from(("turn", "cut", "end", "put")))
        if change == "turn" and raw:
            raw[at] ^= data.draw(st.integers(1, 255))
        elif change == "cut":
            del raw[at : at + data.draw(st.integers(1, 40))]
        elif change == "end":
            del raw[max(at, 1) :]
        else:
            raw[at:at] = data.draw(st.binary(min_size=1, max_size=40))
    place.write_bytes(raw)
    check(place, genuine)


@pytest.mark.parametrize("kind", ["whole", "filtered"])
@FUZZ
@given(data=st.data())
def test_members_of_an_export_changed_by_somebody_without_a_key(kind: str, place: Path, data: st.DataObject) -> None:
    genuine = members_of(Export(log(), **KINDS[kind]).write(place))

    def change(members: Members) -> None:
        name = data.draw(st.sampled_from(sorted(members)))
        lines = members[name].split(b"\n")
        at = data.draw(st.integers(0, len(lines) - 1))
        how = data.draw(st.sampled_from(("value", "bytes", "drop", "double", "gone", "words")))
        if how == "gone":
            del members[name]
            return
        if how == "value" and lines[at][:1] in {b"{", b"["}:
            lines[at] = written(replaced(json.loads(lines[at]), data))
        elif how == "bytes":
            lines[at] = data.draw(st.binary(max_size=60))
        elif how == "drop":
            del lines[at]
        elif how == "double":
            lines.insert(at, lines[data.draw(st.integers(0, len(lines) - 1))])
        else:
            word = data.draw(st.sampled_from((b"e", b"1", b'"', b"=", b" ", b":")))
            lines[at] = lines[at].replace(word, data.draw(st.binary(max_size=3)), 1)
        members[name] = b"\n".join(lines)

    Export(log(), **KINDS[kind], members=change).write(place)
    check(place, genuine)


@pytest.mark.parametrize("kind", ["whole", "filtered"])
@FUZZ
@given(data=st.data())
def test_a_manifest_of_any_content_that_the_key_signed(kind: str, place: Path, data: st.DataObject) -> None:
    genuine = members_of(Export(log(), **KINDS[kind]).write(place))

    def change(manifest: dict[str, Any]) -> None:
        changed = replaced(manifest, data)
        if isinstance(changed, dict):
            manifest.clear()
            manifest.update(changed)
            manifest.setdefault("log_id", "")

    Export(log(), **KINDS[kind], manifest=change).write(place)
    check(place, genuine)


def replaced(value: Any, data: st.DataObject) -> Any:
    """The value with one part of it, wherever, become something else or gone."""
    parts = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    if not parts or data.draw(st.integers(0, 4)) == 0:
        return data.draw(JSON)
    part = data.draw(st.sampled_from(parts))
    out = dict(value) if isinstance(value, dict) else list(value)
    if data.draw(st.integers(0, 5)) == 0:
        del out[part]
    else:
        out[part] = replaced(value[part], data)
    return out


def written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
