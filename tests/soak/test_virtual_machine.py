"""Kernel cameras, in a virtual machine: by hand, after `tools/vm/prepare`."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support import ROOT


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_kernel_camera_is_pulled_out_and_a_kernel_camera_is_written() -> None:
    folder = os.environ.get("FFL_VM", "")
    if not (Path(folder) / "kernel").is_file():
        pytest.skip("needs FFL_VM, a folder made by tools/vm/prepare")
    done = subprocess.run([ROOT / "tools/vm/run", folder], capture_output=True, text=True, timeout=550, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "pulled out while read" in done.stdout
    assert "colours are off by" in done.stdout
