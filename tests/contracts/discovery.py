"""Which classes keep to a port by having its method, so that a contract suite notices the one it forgot."""

import importlib
import inspect
import os
import pkgutil
from types import ModuleType


def classes_with(method: str, package: ModuleType) -> set[type]:
    """Every public class in a module or package that defines or inherits a method."""
    parts = pkgutil.walk_packages(getattr(package, "__path__", ()), package.__name__ + ".")
    names = [package.__name__, *(part.name for part in parts)]
    found: set[type] = set()
    for name in names:
        for _, kind in inspect.getmembers(_module(name), inspect.isclass):
            ours = (kind.__module__ or "").startswith(package.__name__) and not kind.__name__.startswith("_")
            if ours and callable(getattr(kind, method, None)) and not getattr(kind, "_is_protocol", False):
                found.add(kind)
    return found


def _module(name: str) -> ModuleType:
    """A module; an empty one where it needs a system library that is not there, which CI does not allow."""
    try:
        return importlib.import_module(name)
    except ImportError:
        if os.environ.get("FFL_REQUIRE_ALL") == "1":
            raise
        return ModuleType(name)
