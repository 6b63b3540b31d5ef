import ast
import inspect
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from facefusion_live.domain.audit import chain, seal_check, verify
from facefusion_live.domain.audit.canonical import STANDARD, Codec
from facefusion_live.domain.audit.errors import UnreadableError
from facefusion_live.domain.audit.event import Row
from facefusion_live.domain.audit.evidence import Anchors, Evidence
from facefusion_live.domain.audit.report import LogReport, Outcome, exit_code
from tests.fakes.audit import LogBuilder, check_signature
from tests.fakes.audit_attacks import ATTACKS, Attack, bit_flips, genuine, properly_pruned


def judged(report: LogReport, attack: Attack) -> bool:
    codes = {finding.code for finding in report.findings}
    return attack.codes <= codes and exit_code([report]) == attack.exit_code


def test_a_genuine_log_is_intact() -> None:
    report = genuine().verify()
    assert exit_code([report]) == 0
    assert report.findings == []
    assert (report.rows, report.last_seq, report.checkpoints, report.epochs, report.sealed) == (25, 25, 13, 4, 25)
    assert report.outcome("anchor") is Outcome.NOT_CHECKED


def test_a_properly_pruned_log_is_intact() -> None:
    report = properly_pruned().verify()
    assert (exit_code([report]), report.first_seq, report.last_seq) == (0, 11, 26)
    assert report.genesis_fingerprint == genuine().verify().genesis_fingerprint


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_is_found(attack: Attack) -> None:
    report = attack.make().verify()
    assert judged(report, attack), (exit_code([report]), report.findings)


def test_every_single_flipped_bit_of_a_row_is_found() -> None:
    for log in bit_flips(genuine()):
        assert exit_code([log.verify()]) == 10


def test_anchors_that_agree_make_the_fourth_verdict() -> None:
    log = genuine()
    copies = {row.seq: row.hash for row in log.rows[3:9]}
    log.extra["anchors"] = Anchors(notes=(log.notes[4][1], log.notes[-1][1]), copies=copies)
    report = log.verify()
    assert (report.outcome("anchor"), exit_code([report])) == (Outcome.INTACT, 0)


def test_a_declared_jump_of_the_clock_is_a_notice_and_no_fault() -> None:
    builder = LogBuilder().session(1)
    builder.add("clock.jump", {"moved_ms": -3_600_000}, utc_ns=1_759_996_400_000_000_000).checkpoint()
    report = builder.log().verify()
    assert exit_code([report]) == 0
    assert any("-3600000 ms" in notice for notice in report.notices)


def test_rows_ahead_of_time_are_worth_a_word() -> None:
    log = genuine()
    log.extra["now_us"] = 1_700_000_000_000_000
    assert any("ahead of this machine's clock" in notice for notice in log.verify().notices)
    log.extra["now_us"] = 1_900_000_000_000_000
    assert log.verify().notices == []


def test_an_unclean_end_is_named() -> None:
    builder = LogBuilder().rotate().add("session.start").checkpoint().add("label.on")
    running = builder.log().verify()
    assert "still running" in running.notices[-1]
    assert "1 rows are chained but not sealed yet" in running.notices[0]
    crashed = builder.session(0).log().verify()
    assert [exit_code([running]), exit_code([crashed])] == [0, 0]
    assert crashed.notices[0].startswith("nothing had sealed the 1 rows before row")
    assert crashed.notices[1].startswith("unclean end: sess_")


def test_a_session_that_was_killed_as_it_began_is_an_unclean_end() -> None:
    report = LogBuilder().session().rotate().add("session.start").add("label.on").log().verify()
    assert exit_code([report]) == 0
    assert "2 rows are chained but not sealed yet" in report.notices[0]
    assert "still running" in report.notices[1]


def test_the_last_rows_of_a_log_that_is_written_may_wait_for_their_seal() -> None:
    log = LogBuilder().session().add("settings.change").log()
    assert exit_code([log.verify()]) == 12
    log.extra["growing"] = True
    assert exit_code([log.verify()]) == 0
    assert "1 rows are chained but not sealed yet" in log.verify().notices[0]


def test_of_many_notices_the_first_and_the_last_are_kept() -> None:
    report = LogReport()
    for number in range(50):
        report.note(str(number))
    assert (report.notices[0], report.notices[-1], len(report.notices)) == ("0", "49", 20)


def test_evidence_that_breaks_off_is_damage() -> None:
    log = genuine()

    def rows() -> Iterator[Row]:
        yield from log.rows[:7]
        raise UnreadableError("bad sector")

    def notes() -> Iterator[tuple[int, str]]:
        yield from log.notes[:3]
        raise UnreadableError("bad sector")

    for evidence, code in (
        (Evidence(rows(), log.notes, log.heads), "unreadable"),
        (Evidence(log.rows, notes(), log.heads), "notes_unreadable"),
    ):
        report = verify.verify_log(evidence, STANDARD, check_signature)
        assert code in {finding.code for finding in report.findings}
        assert exit_code([report]) == 10


def test_the_log_tells_its_own_name_when_nobody_knows_it() -> None:
    log = genuine()
    log.extra["log_id"] = None
    report = log.verify()
    assert (report.log_id, exit_code([report])) == (log.tip.log_id, 0)


def test_key_rows_that_are_no_hex_sign_nothing() -> None:
    builder = LogBuilder()
    builder.add("key.rotate", {"public_key": "zz", "previous_key": "zz", "epoch": 1}).checkpoint()
    report = builder.log().verify()
    assert {"previous_key"} <= {finding.code for finding in report.findings}


def test_nothing_checked_is_never_zero() -> None:
    assert exit_code([]) == 12
    assert exit_code([LogReport()]) == 12


def test_findings_and_notices_do_not_fill_the_memory() -> None:
    report = LogReport()
    for seq in range(100):
        report.find("chain", Outcome.TAMPERED, "x", seq, "x")
        report.note("y")
    assert (report.found, len(report.findings), len(report.notices)) == (100, 3, 20)
    assert report.as_json()["findings"][0] == {
        "verdict": "chain",
        "outcome": "tampered",
        "code": "x",
        "seq": 0,
        "message": "x",
    }


def _mutants() -> Iterator[tuple[str, ModuleType, str]]:
    """Each place where verification takes a finding down, with that place emptied."""
    for module in (chain, seal_check, verify):
        source = inspect.getsource(module)
        for node in ast.walk(ast.parse(source)):
            call = node.value if isinstance(node, ast.Expr | ast.Return) else None
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
                continue
            texts = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            if call.func.attr in {"find", "_find", "_find_coverage", "_anchor", "_forged_prune"} and texts:
                lines = source.splitlines()
                indent = " " * node.col_offset
                mutated = [*lines[: node.lineno - 1], indent + "pass", *lines[node.end_lineno :]]
                yield f"{module.__name__.rpartition('.')[2]}:{node.lineno}:{texts[-1][:40]}", module, "\n".join(mutated)


MUTANTS = list(_mutants())


def test_there_are_as_many_steps_as_the_mutation_test_removes() -> None:
    assert len(MUTANTS) >= 40


@pytest.mark.parametrize(("name", "module", "source"), MUTANTS, ids=[name for name, _, _ in MUTANTS])
def test_removing_any_step_of_verification_fails_a_test(name: str, module: ModuleType, source: str) -> None:
    del name
    original = dict(vars(module))
    try:
        exec(compile(source, module.__file__ or "", "exec"), vars(module))  # noqa: S102
        if module is not verify:  # verify holds the classes by name
            for key in ("ChainCheck", "SealCheck"):
                if key in vars(module):
                    setattr(verify, key, vars(module)[key])
        killed = not _all_judged_right(vars(verify)["verify_log"])
        killed = killed or _structural_tests_fail()
    finally:
        vars(module).clear()
        vars(module).update(original)
        verify.ChainCheck, verify.SealCheck = chain.ChainCheck, seal_check.SealCheck
    assert killed


def _all_judged_right(verify_log: Callable[..., LogReport]) -> bool:
    try:
        return all(judged(verify_log(each.make().evidence(), STANDARD, check_signature), each) for each in ATTACKS)
    except UnboundLocalError:  # the removed step was the one that kept what follows from running
        return False


def _structural_tests_fail() -> bool:
    try:
        test_evidence_that_breaks_off_is_damage()
    except AssertionError:
        return True
    return False


def test_a_codec_that_reads_too_much_is_no_way_round() -> None:
    lenient = Codec(STANDARD.encode, lambda data: STANDARD.decode(data.strip()))
    log = genuine()
    assert exit_code([verify.verify_log(log.evidence(), lenient, check_signature)]) == 0
