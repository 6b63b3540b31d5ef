"""What goes into the frozen folder and what stays out, for `build.spec`."""

import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path, PurePath
from typing import Any, Final

from facefusion_live import __version__
from facefusion_live.app.benchmark import LIBRARIES

Entry = tuple[str, str, str]
"""PyInstaller's: where it goes, where it lies, what it is."""
BARE_NAMES: Final = "onnxruntime.transformers"
"""Its modules import each other by bare names: they must lie as files, where it puts its own folder on the path."""
_LINKED: Final = ("BINARY", "EXTENSION")

IDENTIFIER: Final = "io.github.facefusion_live.FaceFusionLive"
INFO_PLIST: Final[dict[str, Any]] = {
    "CFBundleDisplayName": "FaceFusion Live",
    "LSApplicationCategoryType": "public.app-category.video",
    "LSMinimumSystemVersion": "13.0",
    "NSHighResolutionCapable": True,
    "NSCameraUsageDescription": "FaceFusion Live swaps the face in your camera's picture, on this computer.",
    "NSMicrophoneUsageDescription": "Recordings and streams can carry your microphone's sound.",
}

NEVER_USED: Final = [
    "tkinter",
    "unittest",
    "pydoc",
    "pip",
    "setuptools",
    "PyInstaller",
    "IPython",
    "matplotlib",
    "pandas",
]
"""Modules that libraries import only where somebody has them."""
_OTHER_TERMS: Final = ["pyvirtualcam", "readline"]
"""GPL: the first in version 2 only, which does not go with Apache-2.0 (docs/packaging.md); the second is not needed."""
EXCLUDED: Final = NEVER_USED + _OTHER_TERMS

_PLUGINS_LEFT_OUT: Final = (
    # Needs GTK 3 on the machine and brings its whole stack; the portal serves dialogs as well.
    "libqgtk3",
    # Screens without a window system: this program is a window among others.
    "libqeglfs",
    "libqlinuxfb",
    "libqminimalegl",
    "libqvnc",
    "libqvkkhrdisplay",
    "libQt6EglFS",
    "libQt6EglFs",
)
_NVIDIAS: Final = ("libcudart", "libcublas", "libcudnn", "libcufft", "libcurand", "libnvrtc", "libnvinfer", "libnvonnx")
"""From wherever the building machine has them: they must fit the user's driver, and their terms are others."""
_THE_SYSTEMS_OWN: Final = (
    # The user's graphics driver is loaded into the same process and may need newer ones than the building machine's.
    *("libstdc++.", "libgcc_s.", "libdrm.", "libexpat.", "libz.", "libwayland-", "libX11", "libxcb.", "libxcb-dri"),
    # Must fit the daemons and settings of the system that it runs on.
    *("libpulse", "libdbus-1", "libfontconfig.", "libfreetype.", "libresolv", "libmvec", "libsystemd."),
)
_FOR_LINKING: Final = (".rlib", ".d")
_SPOKEN: Final = ("_en", "_zh_CN")


def resources(root: Path) -> list[tuple[str, str]]:
    """The program's own files, where `app.environment.resource` looks for them, and who the libraries say they are."""
    from PyInstaller.utils.hooks import copy_metadata  # noqa: PLC0415 (only where it builds)

    folders = [(str(root / name), name) for name in ("resources", "shaders")]
    files = [(str(root / "tools" / "audit_verify.py"), "tools"), (str(root / "LICENSE"), ".")]
    return folders + files + [entry for name in _installed(LIBRARIES) for entry in copy_metadata(name)]


def loaded_by_path() -> list[tuple[str, str]]:
    """Libraries that a package opens itself."""
    from PyInstaller.utils.hooks import collect_dynamic_libs  # noqa: PLC0415 (as above)

    return collect_dynamic_libs("c2pa")


def imported_by_name() -> list[str]:
    """Modules that no `import` statement names: commands are loaded when they are asked for."""
    from PyInstaller.utils.hooks import collect_submodules  # noqa: PLC0415 (as above)

    own = {"linux": ["keyring.backends.SecretService"], "win32": ["keyring.backends.Windows"]}
    names = ["OpenGL.platform.egl", "grpc", *own.get(sys.platform, ["keyring.backends.macOS"])]
    names += [f"{BARE_NAMES}.{name}" for name in ("float16", "onnx_utils", "onnx_model", "fusion_utils")]
    return names + collect_submodules("facefusion_live")


def _installed(names: Iterable[str]) -> list[str]:
    return [name for name in names if any(metadata.distributions(name=name))]


def wanted(entries: Iterable[Entry]) -> list[Entry]:
    """Without the parts of Qt and the libraries that this program never loads, and what only those need."""
    left = [entry for entry in entries if not _left_out(PurePath(entry[0]))]
    return _needed(left) if sys.platform == "linux" else left


def _left_out(path: PurePath) -> bool:
    if path.name.startswith((*_PLUGINS_LEFT_OUT, *_NVIDIAS)) or path.name.endswith(_FOR_LINKING):
        return True
    if sys.platform == "linux" and path.name.startswith(_THE_SYSTEMS_OWN):
        return True
    return "translations" in path.parts and "PySide6" in path.parts and not path.stem.endswith(_SPOKEN)


def _needed(entries: list[Entry]) -> list[Entry]:
    """Drop libraries of the system that nothing else in the bundle links to."""
    from PyInstaller.depend.bindepend import get_imports  # noqa: PLC0415 (only where it builds)

    of_the_system = {
        name: (name, source, kind)
        for name, source, kind in entries
        if kind == "BINARY" and not _came_with_a_package(PurePath(source)) and not name.startswith("libpython")
    }
    kept = [entry for entry in entries if entry[0] not in of_the_system]
    asking = list(kept)
    while asking:
        linked = {PurePath(name).name for entry in asking if entry[2] in _LINKED for name, _ in get_imports(entry[1])}
        asking = [of_the_system.pop(name) for name in linked & of_the_system.keys()]
        kept += asking
    return kept


def _came_with_a_package(source: PurePath) -> bool:
    """Whether pip put it there; where an environment borrows another one's packages, that is not below its prefix."""
    return "site-packages" in source.parts or "dist-packages" in source.parts


def version() -> str:
    """The program's."""
    return __version__


def windows_version(name: str) -> object | None:
    """What Explorer shows of an executable, or None on other systems."""
    if sys.platform != "win32":
        return None
    from PyInstaller.utils.win32 import versioninfo as info  # noqa: PLC0415 (exists there only)

    numbers = (*(int(part) for part in version().split(".")[:3]), 0)
    words = {
        "FileDescription": "FaceFusion Live",
        "ProductName": "FaceFusion Live",
        "FileVersion": version(),
        "ProductVersion": version(),
        "OriginalFilename": f"{name}.exe",
        "LegalCopyright": "Apache-2.0; see LICENSE and THIRD-PARTY.txt",
    }
    english, unicode = 0x0409, 1200
    return info.VSVersionInfo(
        ffi=info.FixedFileInfo(filevers=numbers, prodvers=numbers),
        kids=[
            info.StringFileInfo([info.StringTable("040904B0", [info.StringStruct(*word) for word in words.items()])]),
            info.VarFileInfo([info.VarStruct("Translation", [english, unicode])]),
        ],
    )
