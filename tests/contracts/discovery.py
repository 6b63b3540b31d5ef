"""Which classes keep to a port by having its method, so that a contract suite notices the one it forgot."""

import importlib
import inspect
import pkgutil
from types import ModuleType


def classes_with(method: str, package: ModuleType) -> set[type]:
    """Every public class in a package that defines or inherits a method, protocols left out."""
    names = [package.__name__, *(m.name for m in pkgutil.walk_packages(package.__path__, package.__name__ + "."))]
    found: set[type] = set()
    for name in names:
        for _, kind in inspect.getmembers(importlib.import_module(name), inspect.isclass):
            ours = kind.__module__.startswith(package.__name__) and not kind.__name__.startswith("_")
            if ours and callable(getattr(kind, method, None)) and not getattr(kind, "_is_protocol", False):
                found.add(kind)
    return found
