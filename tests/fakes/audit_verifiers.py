"""Both verifiers as functions of what is to be verified: exit code, and the four verdicts of each log."""

import contextlib
import importlib.util
import io
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

from facefusion_live.adapters.storage import imports
from facefusion_live.adapters.storage.codec import FAST
from facefusion_live.domain.audit.anchors import KeptElsewhere
from facefusion_live.domain.audit.errors import EvidenceMissingError
from facefusion_live.domain.audit.report import VERDICTS, exit_code
from tests.fakes.audit_disk import VERIFIER, reader

Answer = tuple[int, list[tuple[str, ...]]]
"""Exit code; id, verdicts and kinds of notices of each log, sorted."""
NOTICES = (
    *("unclean end: ", "or still running", "not sealed yet", "nothing had sealed", "the clock was moved by"),
    *(
        "the one before it was",
        "were lost with it",
        "nothing shows it",
        "not sealed yet when",
        "not that no row was left out",
        "stand twice in heads.log",
    ),
)


def alone_module() -> ModuleType:
    """The verifier that stands alone, as a module of its own."""
    spec = importlib.util.spec_from_file_location("audit_verify", VERIFIER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ALONE = alone_module()


def alone_answers(what: Path, words: Sequence[str] = (), module: ModuleType = ALONE) -> Answer:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = module.main([str(what), "--json", *words])
    assert err.getvalue().count("\n") == (code == 2), err.getvalue()
    if code == 2:
        return 2, []
    logs = json.loads(out.getvalue())["logs"]
    return code, sorted(
        (log["log_id"], *(log["verdicts"][name].replace(" ", "_") for name in VERDICTS), *noticed(log)) for log in logs
    )


def program_answers(what: Path, words: Sequence[str] = ()) -> Answer:
    fingerprints = [word for flag, word in pairwise(words) if flag == "--fingerprint"]
    anchors = [Path(word) for flag, word in pairwise(words) if flag == "--anchor"]
    try:
        kept = KeptElsewhere.read((path.read_bytes() for path in anchors), FAST)
        if what.is_dir():
            reports = reader(what).verify(genesis=fingerprints, kept=kept)
        else:
            reports = imports.verify_export(what, fingerprints=fingerprints, kept=kept)
    except EvidenceMissingError:
        return 2, []
    told = [report.as_json() for report in reports]
    return exit_code(reports), sorted(
        (log["log_id"], *(log["verdicts"][name] for name in VERDICTS), *noticed(log)) for log in told
    )


def noticed(log: dict[str, Any]) -> list[str]:
    """The kinds of notices, in whatever words."""
    return [kind for kind in NOTICES if any(kind in notice for notice in log["notices"])]
