"""Models come whole or not at all: against a server that fails, a killed process, and a full disk."""

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from facefusion_live.adapters.web.download import HttpDownload
from facefusion_live.app import model_store as module
from facefusion_live.app.model_store import Recognised
from facefusion_live.domain.errors import BadInputError, ModelFileError, ModelStoreError
from facefusion_live.domain.model_card import ModelCard
from tests.adapters import onnx_graphs
from tests.adapters.web_server import honest, serving, status
from tests.app.model_desk import FILE, Desk, converter_bytes, sha
from tests.support import RESOURCES, ROOT


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with serving(converter_bytes(tmp_path)) as server:
        yield Desk(tmp_path / "models", server)


INSTALLED = {FILE, f"{FILE}.sha256"}
PIECE = {f"{FILE}.part", f"{FILE}.part.json"}


def test_a_model_is_fetched_tried_and_put_in_its_place(desk: Desk) -> None:
    done = desk.pull(desk.card(sha256=sha(desk.server.body), size=len(desk.server.body)))
    assert done.path.read_bytes() == desk.server.body
    assert (done.pinned, done.sha256) == (False, sha(desk.server.body))
    assert desk.names == INSTALLED
    assert [path.name for path in desk.tried] == [f"{FILE}.part"]


def test_the_licence_is_on_record_before_anything_is_asked_for(desk: Desk) -> None:
    desk.pull(desk.card())
    assert desk.accepted == [("crossface_ghost", 0)]


def test_without_a_record_nothing_is_fetched(desk: Desk) -> None:
    def refuse(_card: ModelCard) -> None:
        raise ModelStoreError("the record is full")

    desk.store._accepted = refuse
    with pytest.raises(ModelStoreError, match="the record is full"):
        desk.pull(desk.card())
    assert desk.server.requests == []


def test_a_hash_that_nobody_told_is_pinned_as_sha256sum_reads_it(desk: Desk) -> None:
    assert desk.pull(desk.card()).pinned
    checked = subprocess.run(["sha256sum", "-c", f"{FILE}.sha256"], cwd=desk.folder, capture_output=True, check=False)
    assert checked.returncode == 0
    assert desk.store.verify("crossface_ghost").words == "unchanged since it came"


def test_a_pinned_model_is_not_exchanged_for_another(desk: Desk, tmp_path: Path) -> None:
    desk.pull(desk.card())
    (desk.folder / FILE).unlink()
    desk.server.body = converter_bytes(tmp_path, seed=2)
    with pytest.raises(ModelStoreError, match="another SHA-256 than it must have"):
        desk.pull(desk.card())
    assert desk.names == {f"{FILE}.sha256"}


def test_a_connection_that_breaks_off_goes_on_where_it_stopped(desk: Desk) -> None:
    desk.server.answers = [honest(desk.server, cut_at=700_000), honest(desk.server, cut_at=1_200_000), None]
    assert desk.pull(desk.card()).sha256 == sha(desk.server.body)
    assert [asked for _, asked in desk.server.requests] == ["", "bytes=700000-", "bytes=1200000-"]


def test_a_file_that_is_always_cut_short_is_not_installed(desk: Desk) -> None:
    desk.server.answers = [honest(desk.server, cut_at=1000)]
    with pytest.raises(ModelStoreError, match="broke off"):
        desk.pull(desk.card())
    assert desk.names == PIECE


def test_a_file_that_the_server_itself_holds_cut_short_is_no_model(desk: Desk) -> None:
    desk.server.body = desk.server.body[:-1000]
    with pytest.raises(ModelStoreError, match="cut short, or no ONNX model"):
        desk.pull(desk.card())
    assert desk.names == set()


def test_another_version_of_the_file_is_fetched_from_its_beginning(desk: Desk, tmp_path: Path) -> None:
    def changed(handler: object) -> None:
        desk.server.body, desk.server.etag = converter_bytes(tmp_path, seed=2), '"two"'
        honest(desk.server)(handler)

    desk.server.answers = [honest(desk.server, cut_at=700_000), changed]
    assert desk.pull(desk.card()).path.read_bytes() == converter_bytes(tmp_path, seed=2)


def test_a_piece_of_an_unknown_version_is_not_continued(desk: Desk) -> None:
    desk.server.etag = ""
    desk.server.answers = [honest(desk.server, cut_at=700_000), None]
    assert desk.pull(desk.card()).sha256 == sha(desk.server.body)
    assert [asked for _, asked in desk.server.requests] == ["", ""]


def test_a_piece_that_was_spoilt_is_thrown_away_and_fetched_anew(desk: Desk) -> None:
    desk.folder.mkdir()
    (desk.folder / f"{FILE}.part").write_bytes(b"\0" * 700_000)
    done = desk.pull(desk.card(sha256=sha(desk.server.body)))
    assert done.path.read_bytes() == desk.server.body
    assert [asked for _, asked in desk.server.requests] == ["bytes=700000-", ""]


def test_a_whole_piece_is_not_fetched_again(desk: Desk) -> None:
    desk.folder.mkdir()
    (desk.folder / f"{FILE}.part").write_bytes(desk.server.body)
    desk.pull(desk.card(sha256=sha(desk.server.body)))
    assert desk.names == INSTALLED
    assert len(desk.server.requests) == 1  # the answer was 416: there is no more


def test_another_hash_than_the_card_tells_is_refused(desk: Desk) -> None:
    with pytest.raises(ModelStoreError, match="another SHA-256 than it must have") as refusal:
        desk.pull(desk.card(sha256="0" * 64))
    assert "models add FILE" in refusal.value.advice
    assert desk.names == set()


def test_another_length_than_the_card_tells_is_refused_before_it_comes(desk: Desk) -> None:
    with pytest.raises(ModelStoreError, match="the card tells of 10"):
        desk.pull(desk.card(size=10))
    assert desk.names == set()


@pytest.mark.parametrize("code", [403, 404, 410])
def test_the_next_mirror_is_asked_when_one_has_no_such_file(desk: Desk, code: int) -> None:
    desk.server.answers = [status(code), None]
    done = desk.pull(desk.card(f"{desk.server.url}/gone", f"{desk.server.url}/here"))
    assert [path for path, _ in desk.server.requests] == ["/gone", "/here"]
    assert done.path.is_file()


def test_what_no_mirror_has_is_told_with_each_of_their_answers(desk: Desk) -> None:
    desk.server.answers = [status(404), status(410)]
    with pytest.raises(ModelStoreError, match=r"answers 404; .*answers 410"):
        desk.pull(desk.card(f"{desk.server.url}/a", f"{desk.server.url}/b"))
    assert desk.names == set()


def test_a_busy_server_is_asked_again_when_it_says(desk: Desk) -> None:
    desk.server.answers = [status(503, Retry_After="7"), status(503), None]
    desk.pull(desk.card())
    assert desk.pauses == [7, 4]
    assert desk.names == INSTALLED


def test_nobody_there_is_told(desk: Desk) -> None:
    with pytest.raises(ModelStoreError, match=r"127\.0\.0\.1: cannot be reached"):
        desk.pull(desk.card("http://127.0.0.1:9/a.onnx"))


def test_a_silent_server_is_not_waited_for_without_end(desk: Desk) -> None:
    desk.server.answers = [lambda _handler: time.sleep(0.6)]
    desk.store._download = HttpDownload(sleep=desk.pauses.append, timeout_s=0.1)
    with pytest.raises(ModelStoreError, match=r"does not answer|broke off"):
        desk.pull(desk.card())


def test_a_redirect_is_followed(desk: Desk) -> None:
    desk.server.answers = [status(302, Location="/elsewhere"), None]
    desk.pull(desk.card())
    assert [path for path, _ in desk.server.requests] == ["/a.onnx", "/elsewhere"]
    assert desk.names == INSTALLED


def test_redirects_in_a_circle_end(desk: Desk) -> None:
    desk.server.answers = [status(302, Location="/a.onnx")]
    with pytest.raises(ModelStoreError, match="answers 302"):
        desk.pull(desk.card())


def test_a_page_is_no_model_even_with_status_200(desk: Desk) -> None:
    desk.server.body = b"<html>Please sign in</html>"
    desk.server.answers = [honest(desk.server, kind="text/html; charset=utf-8")]
    with pytest.raises(ModelStoreError, match="sends text/html, which is no model"):
        desk.pull(desk.card())
    assert desk.names == set()


@pytest.mark.parametrize("body", [b"<html>Please sign in</html>", b"PK\x03\x04" * 100, b"\0" * 1000, b"", b"\x08\x08"])
def test_a_file_of_another_kind_is_not_installed(desk: Desk, body: bytes) -> None:
    desk.server.body = body
    with pytest.raises(ModelStoreError, match="no ONNX model"):
        desk.pull(desk.card())
    assert desk.names == set()


def test_a_net_of_another_shape_is_not_installed(desk: Desk, tmp_path: Path) -> None:
    other = onnx_graphs.probe_swapper(tmp_path / "o.onnx", 8, (1, 4), picture=np.zeros((3, 8, 8), np.float32))
    desk.server.body = other.read_bytes()
    with pytest.raises(ModelStoreError, match="a converter has one vector as input"):
        desk.pull(desk.card())
    assert desk.names == set()


def test_a_model_that_does_not_run_is_not_installed(desk: Desk) -> None:
    def fail(_path: Path) -> None:
        raise ModelFileError("it does not run (killed)")

    desk.store._try_out = fail
    with pytest.raises(ModelStoreError, match=r"it does not run \(killed\)"):
        desk.pull(desk.card())
    assert desk.names == set()


def test_more_than_was_told_of_is_not_taken(desk: Desk) -> None:
    def endless(handler: object) -> None:
        handler.send_response(200)  # type: ignore[attr-defined]
        handler.end_headers()  # type: ignore[attr-defined]
        while True:
            handler.wfile.write(b"\0" * 65536)  # type: ignore[attr-defined]

    desk.server.answers = [endless]
    with pytest.raises(ModelStoreError, match="more than it told of"):
        desk.pull(desk.card(size=1_000_000))
    assert desk.names <= PIECE
    assert sum((desk.folder / name).stat().st_size for name in desk.names) < 1_100_000


def test_without_room_nothing_is_begun(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")._replace(free=1_000_000)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _path: usage)
    with pytest.raises(ModelStoreError, match="there is no room") as refusal:
        desk.pull(desk.card(size=2_000_000_000))
    assert refusal.value.advice == "Make 1970 MiB free."
    assert desk.server.requests == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=800k", "tmpfs", str(folder)], check=False).returncode:
        pytest.skip("needs to mount a tmpfs")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_fills_up_keeps_the_piece_and_says_so(
    tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Somebody else fills it meanwhile: what was asked beforehand is no promise.
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _path: usage)
    with serving(converter_bytes(tmp_path)) as server:
        desk = Desk(small_disk / "models", server)
        with pytest.raises(ModelStoreError, match="cannot be written: No space left on device"):
            desk.pull(desk.card())
        assert FILE not in desk.names
        subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
        assert desk.pull(desk.card()).sha256 == sha(server.body)
        assert server.requests[-1][1].startswith("bytes=")


def test_a_folder_that_cannot_be_written_is_told(desk: Desk) -> None:
    desk.folder.write_text("not a folder", "utf-8")
    with pytest.raises(ModelStoreError, match="cannot be written"):
        desk.pull(desk.card())


PULLING = """
import dataclasses, sys
from pathlib import Path
from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.adapters.onnx.container import read_graph
from facefusion_live.app.model_store import ModelStore
folder, cards, url = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
catalog = Catalog(cards)
store = ModelStore(folder, catalog, look=read_graph, try_out=lambda _: None, accepted=lambda _: None, derived=print)
card = dataclasses.replace(catalog.card("crossface_ghost"), urls=(url,))
store.pull(card, lambda have, total: print(have, flush=True))
"""


def pulling(desk: Desk) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", PULLING, str(desk.folder), str(RESOURCES / "cards"), f"{desk.server.url}/a.onnx"]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def test_a_killed_download_goes_on_where_it_stopped(desk: Desk) -> None:
    desk.server.pause_s = 0.05
    killed = 0
    for _ in range(3):
        with pulling(desk) as process:
            assert process.stdout is not None
            first = int(process.stdout.readline())
            while int(process.stdout.readline()) < first + 300_000:
                pass
            os.kill(process.pid, signal.SIGKILL)
        killed += process.returncode == -signal.SIGKILL
        assert desk.names == PIECE
    desk.server.pause_s = 0
    with pulling(desk) as process:
        process.communicate()
    assert (killed, process.returncode) == (3, 0)
    assert desk.names == INSTALLED
    assert (desk.folder / FILE).read_bytes() == desk.server.body
    asked = [int(range_.removeprefix("bytes=").rstrip("-") or 0) for _, range_ in desk.server.requests]
    assert asked == sorted(asked)
    assert asked[-1] >= 750_000


def test_two_processes_do_not_write_one_model(desk: Desk) -> None:
    desk.server.pause_s = 0.1
    with pulling(desk) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(ModelStoreError, match="being written by another process"):
            desk.pull(desk.card())
        process.kill()


def test_a_model_without_an_address_is_told_with_its_home(desk: Desk) -> None:
    with pytest.raises(BadInputError, match="not offered for download") as refusal:
        desk.pull(dataclasses.replace(desk.card(), urls=(), home="https://example.org/m"))
    assert refusal.value.advice == "Get it from https://example.org/m and call: facefusion-live models add FILE"


# Files that the user has already.


def given(desk: Desk, tmp_path: Path, name: str) -> Path:
    path = tmp_path / name
    path.write_bytes(desk.server.body)
    return path


def test_a_file_is_recognised_by_its_hash_whatever_its_name(desk: Desk, tmp_path: Path) -> None:
    path = given(desk, tmp_path, "download (3).bin")
    text = (RESOURCES / "cards" / "crossface_ghost.toml").read_text("utf-8")
    desk.folder.mkdir()
    mine = f'sha256 = "{sha(desk.server.body)}"\n' + text.replace("crossface_ghost", "mine")
    (desk.folder / "mine.toml").write_text(mine, "utf-8")
    recognised = desk.store.recognise(path)
    assert (recognised.card.id, recognised.by) == ("mine", "by its SHA-256")
    assert not desk.store.add(path, recognised).pinned
    assert desk.store.verify("mine").words == "the file that its card tells of"


def test_a_file_is_recognised_by_its_name_and_shape(desk: Desk, tmp_path: Path) -> None:
    recognised = desk.store.recognise(given(desk, tmp_path, FILE))
    assert recognised.card.id == "crossface_ghost"
    assert recognised.by == "by its name and shape; its SHA-256 is not known from the publisher"
    assert desk.store.add(tmp_path / FILE, recognised).pinned
    assert desk.names == INSTALLED
    assert desk.accepted == [("crossface_ghost", 0)]
    assert desk.server.requests == []


def test_what_was_made_here_from_another_needs_nobody_to_accept_its_licence(desk: Desk, tmp_path: Path) -> None:
    parent = desk.card()
    card = dataclasses.replace(parent, id="smaller", file="smaller.onnx")
    desk.store.add(given(desk, tmp_path, "smaller.onnx"), Recognised(card, "made from it", made_from=parent))
    assert desk.accepted == []
    assert desk.derived == [("smaller", "crossface_ghost", sha(desk.server.body))]


def test_a_file_that_could_be_several_models_is_not_guessed(desk: Desk, tmp_path: Path) -> None:
    path = given(desk, tmp_path, "what.onnx")
    with pytest.raises(ModelFileError, match="it could be crossface_ghost, crossface_hififace, crossface_simswap"):
        desk.store.recognise(path)
    said = desk.store.recognise(path, "crossface_simswap")
    assert said.by == "as you say, and its shape fits; its SHA-256 is not known from the publisher"


def test_a_file_that_cannot_be_what_one_says_is_refused(desk: Desk, tmp_path: Path) -> None:
    path = given(desk, tmp_path, "what.onnx")
    with pytest.raises(ModelFileError, match="cannot be inswapper_128: none of its inputs takes a picture of 128"):
        desk.store.recognise(path, "inswapper_128")


def test_a_file_that_fits_nothing_is_refused(desk: Desk, tmp_path: Path) -> None:
    path = onnx_graphs.probe_swapper(tmp_path / "o.onnx", 8, (1, 4), picture=np.zeros((3, 8, 8), np.float32))
    with pytest.raises(ModelFileError, match="it fits none of the cards"):
        desk.store.recognise(path)


def test_a_file_that_is_not_there_is_told(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="there is no file nowhere"):
        desk.store.recognise(tmp_path / "nowhere")


# What is there.


def test_a_changed_file_is_found(desk: Desk) -> None:
    path = desk.pull(desk.card()).path
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    verdict = desk.store.verify("crossface_ghost")
    assert (verdict.intact, verdict.words) == (False, "it has changed since it came, and does not run")
    assert desk.store.entry("crossface_ghost").state == "changed"


def test_a_changed_file_is_fetched_anew(desk: Desk, tmp_path: Path) -> None:
    path = desk.pull(desk.card()).path
    assert desk.store.lacking("crossface_ghost") == []
    path.write_bytes(converter_bytes(tmp_path, seed=2))
    (lacking,) = desk.store.lacking("crossface_ghost")
    assert lacking.id == "crossface_ghost"
    desk.pull(desk.card())
    assert path.read_bytes() == desk.server.body
    assert desk.store.entry("crossface_ghost").state == "ready"
    assert desk.names == INSTALLED


def test_a_changed_file_is_not_replaced_by_one_that_never_came(desk: Desk, tmp_path: Path) -> None:
    path = desk.pull(desk.card()).path
    path.write_bytes(converter_bytes(tmp_path, seed=2))
    desk.server.body = converter_bytes(tmp_path, seed=3)
    with pytest.raises(ModelStoreError, match="another SHA-256 than it must have"):
        desk.pull(desk.card())
    assert desk.store.entry("crossface_ghost").state == "changed"


def test_a_changed_file_of_ones_own_is_taken_in_where_it_lies(desk: Desk, tmp_path: Path) -> None:
    path = desk.pull(desk.card()).path
    path.write_bytes(converter_bytes(tmp_path, seed=2))
    desk.store.add(path, desk.store.recognise(path))
    assert desk.store.verify("crossface_ghost").words == "unchanged since it came"


def test_a_built_in_model_is_intact(desk: Desk) -> None:
    assert desk.store.verify("yunet_2023mar") == module.Verdict(
        "yunet_2023mar", intact=True, words="the file that its card tells of"
    )


@pytest.mark.parametrize(
    ("prepare", "intact", "words"),
    [
        (lambda _folder: None, False, "its file is not here"),
        (lambda folder: (folder / FILE).write_bytes(b"x"), True, "nobody told its SHA-256; it was never pinned"),
    ],
)
def test_what_cannot_be_compared_is_said(
    desk: Desk, prepare: Callable[[Path], object], *, intact: bool, words: str
) -> None:
    desk.folder.mkdir()
    prepare(desk.folder)
    verdict = desk.store.verify("crossface_ghost")
    assert (verdict.intact, verdict.words) == (intact, words)


def test_removing_leaves_nothing_but_the_card(desk: Desk) -> None:
    desk.pull(desk.card())
    (desk.folder / f"{FILE}.0123.npy").write_bytes(b"kept")
    desk.store.remove("crossface_ghost")
    assert desk.names == set()
    assert desk.store.entry("crossface_ghost").state == "not here"
    with pytest.raises(BadInputError, match="crossface_ghost is not here"):
        desk.store.remove("crossface_ghost")


def test_what_belongs_to_the_program_stays(desk: Desk) -> None:
    with pytest.raises(BadInputError, match="belongs to the program"):
        desk.store.remove("yunet_2023mar")


def test_an_engine_is_fetched_with_all_that_it_needs(desk: Desk) -> None:
    assert [card.id for card in desk.store.lacking("ghost_1_256")] == [
        "ghost_1_256",
        "arcface_w600k_r50",
        "crossface_ghost",
    ]
    desk.pull(desk.card())
    assert [card.id for card in desk.store.lacking("ghost_1_256")] == ["ghost_1_256", "arcface_w600k_r50"]


def test_an_engine_without_its_recogniser_is_incomplete(desk: Desk) -> None:
    desk.folder.mkdir()
    (desk.folder / "inswapper_128.onnx").write_bytes(b"x")
    entry = desk.store.entry("inswapper_128")
    assert (entry.state, entry.lacking) == ("incomplete", ("arcface_w600k_r50",))
    assert "inswapper_128" not in desk.catalog.ready("swapper")


def test_a_card_that_cannot_be_read_is_told_of(desk: Desk) -> None:
    desk.folder.mkdir()
    (desk.folder / "mine.toml").write_text('id = "mine"', "utf-8")
    assert desk.store.unreadable() == {"mine": "model card: task is missing"}
