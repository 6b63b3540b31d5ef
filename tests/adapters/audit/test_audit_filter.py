"""The same question twice: asked of the database in SQL, and of every event in Python."""

from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facefusion_live.domain.audit.event import ACTIONS
from facefusion_live.domain.audit.filter import Filter
from tests.fakes.audit import SESSION, USER, LogBuilder
from tests.fakes.audit_disk import lay_out, reader

OTHER = "hmac:fedcba9876543210"
LOG = (
    LogBuilder()
    .session()
    .add("settings.change", {"fields": [{"field": "mask.feather", "new_milli": 5}, {"field": "look.opacity"}]})
    .add("settings.change", {"fields": "none of this program's"})
    .add("consent.grant", {}, user_id=OTHER, target="source:abc")
    .add("consent.deny", {}, status="denied", user_id=OTHER)
    .checkpoint()
    .log()
)
EVENTS = [orjson.loads(row.body) for row in LOG.rows]
MOMENTS = st.sampled_from(["", *(event["timestamp"] for event in EVENTS), "2030", "2000"])
FILTERS = st.builds(
    Filter,
    since=MOMENTS,
    until=MOMENTS,
    action=st.sampled_from(["", "consent.", "session.", *sorted(ACTIONS)]),
    status=st.sampled_from(["", "success", "failure", "denied"]),
    session_id=st.sampled_from(["", SESSION, "sess_none"]),
    user_id=st.sampled_from(["", USER, OTHER]),
    target=st.sampled_from(["", "camera:0", "source:abc"]),
    setting=st.sampled_from(["", "look.opacity", "mask.feather", "none"]),
    limit=st.sampled_from([0, 1, 3, 100]),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    lay_out(folder, LOG)
    return folder


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=FILTERS)
def test_sql_and_python_agree(folder: Path, wanted: Filter) -> None:
    expected = [event for event in EVENTS if wanted.matches(event)]
    assert reader(folder).query(wanted) == (expected[-wanted.limit :] if wanted.limit else expected)


def test_a_filter_is_told_in_words() -> None:
    assert Filter().words == "all rows"
    assert Filter(action="consent.", limit=3).words == "action=consent., limit=3"
