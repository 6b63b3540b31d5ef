import pytest

from facefusion_live.domain.audit.anchors import KeptElsewhere, compare_genesis
from facefusion_live.domain.audit.canonical import STANDARD
from facefusion_live.domain.audit.report import LogReport, Outcome, exit_code
from tests.fakes.audit import Log, LogBuilder
from tests.fakes.audit_attacks import genuine


def ndjson(*logs: Log) -> bytes:
    return b"".join(row.body + b"\n" for log in logs for row in log.rows)


def read(*files: bytes) -> KeptElsewhere:
    return KeptElsewhere.read(files, STANDARD)


def verified(log: Log, kept: KeptElsewhere) -> LogReport:
    log.extra["anchors"] = kept.of(log.tip.log_id)
    return log.verify()


def test_what_was_kept_is_laid_beside_the_log_it_speaks_of() -> None:
    ours, other = genuine(), LogBuilder("other").session().log()
    kept = read(ndjson(other, ours, ours) + b"\n")  # doubles, and a blank line
    assert [verified(log, kept).outcome("anchor") for log in (ours, other)] == [Outcome.INTACT] * 2
    note = read(ours.notes[4][1].encode())
    assert verified(ours, note).outcome("anchor") is Outcome.INTACT
    assert verified(other, note).outcome("anchor") is Outcome.NOT_CHECKED


def test_two_different_copies_of_one_row_are_no_proof_of_either() -> None:
    log = genuine()
    forged = ndjson(log).replace(b"camera:0", b"camera:9", 1)
    report = verified(log, read(ndjson(log) + forged))
    assert exit_code([report]) == 10
    assert {finding.code for finding in report.findings} == {"copy_differs"}


def test_a_log_that_was_kept_and_is_gone_is_told() -> None:
    ours, other = genuine(), LogBuilder("other").session().log()
    for data in (ndjson(other), other.notes[0][1].encode()):
        (lost,) = read(data).lost_logs([ours.verify()])
        assert (lost.log_id, exit_code([lost])) == (other.tip.log_id, 11)
    assert read(ndjson(ours)).lost_logs([ours.verify()]) == []


def test_a_text_that_is_no_checkpoint_vouches_for_nothing() -> None:
    kept = read(b"nonsense")
    assert exit_code([verified(genuine(), kept)]) == 12
    assert kept.lost_logs([]) == []


@pytest.mark.parametrize("line", [b"{", b"{}", b'{"log_id":"a"}', b'{"log_id":"a","seq":"x"}', b"[1]"])
def test_a_line_that_is_no_row_is_told_and_the_others_are_compared(line: bytes) -> None:
    report = verified(genuine(), read(ndjson(genuine()) + line))
    assert (exit_code([report]), {finding.code for finding in report.findings}) == (12, {"no_anchor"})
    forged = ndjson(genuine()).replace(b"camera:0", b"camera:9", 1)
    assert exit_code([verified(genuine(), read(forged + line))]) == 10


def test_several_files_speak_together() -> None:
    log = genuine()
    kept = read(log.notes[4][1].encode(), log.notes[6][1].encode(), ndjson(log))
    assert (len(kept.of(log.tip.log_id).notes), len(kept.of(log.tip.log_id).copies)) == (2, len(log.rows))
    assert verified(log, kept).outcome("anchor") is Outcome.INTACT


def test_every_log_must_begin_with_a_key_that_was_written_down() -> None:
    ours, other = genuine(), LogBuilder("other").session().log()

    def compared(*fingerprints: str) -> list[set[str]]:
        reports = [ours.verify(), other.verify(), LogReport("gone")]
        compare_genesis(reports, fingerprints)
        return [{finding.code for finding in report.findings} for report in reports]

    first, second = (log.verify().genesis_fingerprint for log in (ours, other))
    assert compared() == [set(), set(), set()]
    assert compared(first, second.upper()) == [set(), set(), set()]
    assert compared(second) == [{"other_genesis"}, set(), set()]  # one log does not vouch for another
    assert compared("00") == [{"other_genesis"}, {"other_genesis"}, set()]
