"""Give an OpenSearch the index template, its dashboard and the alert rules. Standard library only.

    set_up.py http://opensearch:9200 http://dashboards:5601 docs/fluent-bit

May be run again: templates and dashboards are replaced by the same, and an alert rule of a name that is there is left
as it is, so that a rule that somebody tuned stays tuned.
"""

import json
import sys
import urllib.error
import urllib.request
import uuid
from pathlib import Path

_PATIENCE_S = 30
_JSON = {"Content-Type": "application/json"}


class SetUpError(Exception):
    """A server did not want something."""


def asked(
    method: str, address: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> dict[str, object]:
    """The answer of a server, as JSON.

    Raises:
        SetUpError: It does not answer, or refuses.
    """
    request = urllib.request.Request(address, body, headers or _JSON, method=method)  # noqa: S310 (the caller's own)
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer:  # noqa: S310 (as above)
            return json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        raise SetUpError(f"{method} {address}: {error.code} {error.read(300).decode(errors='replace')}") from error
    except (OSError, ValueError) as error:
        raise SetUpError(f"{method} {address}: {error}") from error


def put_template(opensearch: str, folder: Path) -> None:
    """How rows are indexed: before the first one comes."""
    asked("PUT", f"{opensearch}/_index_template/facefusion-audit", (folder / "index-template.json").read_bytes())


def import_dashboard(dashboards: str, folder: Path) -> None:
    """Searches, charts and the page that holds them.

    Raises:
        SetUpError: One was refused.
    """
    border = uuid.uuid4().hex
    objects = (folder / "dashboard.ndjson").read_bytes()
    head = f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="dashboard.ndjson"\r\n\r\n'
    headers = {"Content-Type": f"multipart/form-data; boundary={border}", "osd-xsrf": "true"}
    body = head.encode() + objects + f"\r\n--{border}--\r\n".encode()
    answer = asked("POST", f"{dashboards}/api/saved_objects/_import?overwrite=true", body, headers)
    if not answer.get("success"):
        raise SetUpError(f"the dashboard was refused: {json.dumps(answer.get('errors'))[:300]}")


def add_rules(opensearch: str, folder: Path) -> list[str]:
    """Alert rules whose names are not there yet; returns the names of those added."""
    everything = json.dumps({"size": 1000, "query": {"match_all": {}}}).encode()
    try:
        found = asked("POST", f"{opensearch}/_plugins/_alerting/monitors/_search", everything)
    except SetUpError as error:
        if " 404 " not in str(error):  # before the first rule there is no index to search
            raise
        found = {}
    there = {hit["_source"].get("name") or hit["_source"].get("monitor", {}).get("name") for hit in _hits(found)}
    added: list[str] = []
    for rule in json.loads((folder / "alert-rules.json").read_bytes()):
        if rule["name"] not in there:
            asked("POST", f"{opensearch}/_plugins/_alerting/monitors", json.dumps(rule).encode())
            added.append(rule["name"])
    return added


def _hits(answer: dict[str, object]) -> list[dict[str, dict[str, dict[str, str]]]]:
    hits = answer.get("hits")
    return hits.get("hits", []) if isinstance(hits, dict) else []


def main(words: list[str]) -> int:
    """Do all three; returns the exit code."""
    if len(words) != 3:
        print((__doc__ or "").split("\n\n")[1].strip(), file=sys.stderr)
        return 2
    opensearch, dashboards, folder = words[0].rstrip("/"), words[1].rstrip("/"), Path(words[2])
    try:
        put_template(opensearch, folder)
        import_dashboard(dashboards, folder)
        added = add_rules(opensearch, folder)
    except (SetUpError, OSError) as error:
        print(f"set_up: {error}", file=sys.stderr)
        return 3
    print(f"template and dashboard are in place; {len(added)} alert rules added")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
