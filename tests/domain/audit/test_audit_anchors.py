import pytest

from facefusion_live.domain.audit.anchors import KeptElsewhere, compare_genesis
from facefusion_live.domain.audit.canonical import STANDARD
from facefusion_live.domain.audit.errors import EvidenceMissingError
from facefusion_live.domain.audit.report import LogReport, Outcome, exit_code
from tests.fakes.audit import Log, LogBuilder
from tests.fakes.audit_attacks import genuine


def ndjson(*logs: Log) -> str:
    return "".join(row.body.decode() + "\n" for log in logs for row in log.rows)


def verified(log: Log, kept: KeptElsewhere) -> LogReport:
    log.extra["anchors"] = kept.of(log.tip.log_id)
    return log.verify()


def test_what_was_kept_is_laid_beside_the_log_it_speaks_of() -> None:
    ours, other = genuine(), LogBuilder("other").session().log()
    kept = KeptElsewhere.read(ndjson(other, ours, ours) + "\n", STANDARD)  # doubles, and a blank line
    assert [verified(log, kept).outcome("anchor") for log in (ours, other)] == [Outcome.INTACT] * 2
    note = KeptElsewhere.read(ours.notes[4][1], STANDARD)
    assert verified(ours, note).outcome("anchor") is Outcome.INTACT
    assert verified(other, note).outcome("anchor") is Outcome.NOT_CHECKED


def test_two_different_copies_of_one_row_are_no_proof_of_either() -> None:
    log = genuine()
    forged = ndjson(log).replace("camera:0", "camera:9", 1)
    report = verified(log, KeptElsewhere.read(ndjson(log) + forged, STANDARD))
    assert exit_code([report]) == 10
    assert {finding.code for finding in report.findings} == {"copy_differs"}


def test_a_log_that_was_kept_and_is_gone_is_told() -> None:
    ours, other = genuine(), LogBuilder("other").session().log()
    for text in (ndjson(other), other.notes[0][1]):
        (lost,) = KeptElsewhere.read(text, STANDARD).lost_logs([ours.verify()])
        assert (lost.log_id, exit_code([lost])) == (other.tip.log_id, 11)
    assert KeptElsewhere.read(ndjson(ours), STANDARD).lost_logs([ours.verify()]) == []


def test_a_text_that_is_no_checkpoint_vouches_for_nothing() -> None:
    kept = KeptElsewhere.read("nonsense", STANDARD)
    assert exit_code([verified(genuine(), kept)]) == 12
    assert kept.lost_logs([]) == []


@pytest.mark.parametrize("line", ["{", "{}", '{"log_id":"a"}', '{"log_id":"a","seq":"x"}', "[1]"])
def test_a_line_that_is_no_row_is_named(line: str) -> None:
    with pytest.raises(EvidenceMissingError, match="line 26"):
        KeptElsewhere.read(ndjson(genuine()) + line, STANDARD)


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
