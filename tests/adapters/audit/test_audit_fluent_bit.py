"""What forwarders are given, as far as it can be checked without Fluent Bit, for which Debian has no package."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from facefusion_live.domain.audit.event import ACTIONS
from tests.fakes.audit_attacks import genuine
from tests.support import ROOT, program

FOLDER = ROOT / "docs" / "fluent-bit"
TLS = {"tls", "tls.verify", "tls.ca_file", "host", "port", "match", "name", "retry_limit"}
OPTIONS = {
    "SERVICE": {"flush", "daemon", "log_level", "parsers_file", "storage.path", "storage.sync"},
    "tail": {
        *("name", "tag", "path", "db", "db.sync", "read_from_head", "parser", "key", "buffer_max_size"),
        "storage.type",
    },
    "lua": {"name", "match", "script", "call"},
    "es": TLS | {"index", "id_key", "write_operation", "suppress_type_name", "http_user", "http_passwd"},
    "syslog": TLS
    | {"mode", "syslog_format", "syslog_maxsize", "syslog_appname_preset", "syslog_facility_preset"}
    | {"syslog_message_key"},
    "PARSER": {"name", "format", "time_key", "time_keep", "time_format"},
}
"""Written down by hand from knowledge of Fluent Bit 3 and 4, not compared with its manual: catches slips, no more."""


def sections(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Head and options of each section of a classic configuration."""
    found: list[tuple[str, dict[str, str]]] = []
    for line in path.read_text("utf-8").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if head := re.fullmatch(r"\[([A-Z]+)\]", line):
            found.append((head[1], {}))
        else:
            assert line.startswith("    "), f"options are indented: {line}"
            name, value = line.split(maxsplit=1)
            assert name.lower() not in found[-1][1], f"{name} stands twice"
            found[-1][1][name.lower()] = value.strip()
    yield from found


CONFIG = list(sections(FOLDER / "fluent-bit.conf"))


def of(kind: str) -> list[dict[str, str]]:
    return [options for head, options in CONFIG if head == kind]


def test_every_option_is_known() -> None:
    for head, options in [*CONFIG, *sections(FOLDER / "parsers.conf")]:
        known = OPTIONS[head if head in OPTIONS else options["name"]]
        assert set(options) <= known


def test_the_parts_fit_together() -> None:
    tags = {each["tag"] for each in of("INPUT")}
    assert {each["match"] for each in (*of("OUTPUT"), *of("FILTER"))} == tags
    assert len({each["db"] for each in of("INPUT")}) == 2
    parsers = {options["name"] for _, options in sections(FOLDER / "parsers.conf")}
    assert {each["parser"] for each in of("INPUT") if "parser" in each} == parsers
    for each in (of("SERVICE")[0]["parsers_file"], of("FILTER")[0]["script"]):
        assert (FOLDER / each).is_file()
    (rows,) = (each for each in of("INPUT") if "key" in each)
    (syslog,) = (each for each in of("OUTPUT") if each["name"] == "syslog")
    assert (syslog["match"], syslog["syslog_message_key"]) == (rows["tag"], rows["key"])
    assert int(syslog["syslog_maxsize"]) > 5120  # the longest row
    text = (FOLDER / "fluent-bit.conf").read_text()
    head = text.partition("[SERVICE]")[0]
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(re.findall(r"\b[A-Z]+_[A-Z]+\b", head))


def test_the_template_takes_every_field_of_a_row() -> None:
    template = json.loads((FOLDER / "index-template.json").read_text())
    properties = template["template"]["mappings"]["properties"]
    row = json.loads(genuine().rows[3].body)
    assert set(properties) == {*row, "row_id"}
    changes = properties["metadata"]["properties"]["fields"]["properties"]
    assert changes["old"] == changes["new"] == {"type": "keyword"}  # numbers and words: the first must not decide
    assert template["template"]["settings"]["index.mapping.ignore_malformed"] is True
    mappings = template["template"]["mappings"]
    assert mappings["date_detection"] is False
    assert properties["metadata"]["dynamic"] is False  # what scripts write has no shape that holds
    assert "dynamic_templates" not in mappings
    asked = {
        name
        for each in ("alert-rules.json", "dashboard.ndjson")
        for name in re.findall(r"metadata\.([a-z_]+)", (FOLDER / each).read_text())
    }
    assert asked == {"phase", "reason", "stage"} == set(properties["metadata"]["properties"]) - {"fields"}


def words_of(query: str) -> list[str]:
    """The actions that a query asks for, families with a star."""
    return re.findall(r'"?\b((?:[a-z]+\.)[a-z*]+)"?', re.sub(r"metadata\.\w+", "", query))


def test_dashboard_and_rules_ask_for_what_there_is() -> None:
    asked: list[str] = []
    rules = json.loads((FOLDER / "alert-rules.json").read_text())
    for rule in rules:
        assert rule["triggers"][0]["query_level_trigger"]["condition"]["script"]["lang"] == "painless"
        filters = rule["inputs"][0]["search"]["query"]["query"]["bool"]["filter"]
        asked += [each["query_string"]["query"] for each in filters if "query_string" in each]
    assert len(rules) == 9
    assert "action:audit.fault AND status:failure" in asked  # old rows not archived, daily files not written
    assert "action:content.off" in asked
    assert "action:export.* AND NOT metadata.phase:end" in asked  # the second row of one and the same act
    assert any("user.by_action" in json.dumps(rule["triggers"]) for rule in rules)
    objects: list[dict[str, Any]] = [
        json.loads(line) for line in (FOLDER / "dashboard.ndjson").read_text().splitlines()
    ]
    ids = {each["id"] for each in objects}
    for each in objects:
        assert {reference["id"] for reference in each["references"]} <= ids
        if each["type"] == "visualization":
            asked.append(json.loads(each["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])["query"]["query"])
            json.loads(each["attributes"]["visState"])
        if each["type"] == "dashboard":
            panels = json.loads(each["attributes"]["panelsJSON"])
            assert {panel["panelRefName"] for panel in panels} == {
                reference["name"] for reference in each["references"]
            }
    words = [word for query in asked for word in words_of(query)]
    assert len(words) >= 8
    for word in words:
        assert any(action == word or (word.endswith("*") and action.startswith(word[:-1])) for action in ACTIONS), word


def test_a_row_gets_the_id_by_which_doubles_fall_together() -> None:
    script = (
        f'dofile("{FOLDER / "row_id.lua"}")\n'
        'local code, at, record = row_id("tag", 1.5, {log_id = "ab", seq = 12345678, action = "label.off"})\n'
        'print(code, at, record["row_id"], record["action"])\n'
    )
    done = subprocess.run([program("lua5.1"), "-"], input=script, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "1.5", "ab-12345678", "label.off"]


@pytest.mark.parametrize("name", ["index-template.json", "alert-rules.json"])
def test_files_are_as_people_edit_them(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8").endswith("\n")
