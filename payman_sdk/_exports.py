"""Public names that are imported when they are first used, so that importing a package is cheap."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def import_on_use(module: str, names: Mapping[str, str]) -> Callable[[str], object]:
    """Return the `__getattr__` of a module.

    Args:
        module: The name of the module.
        names: The names that it has, with spaces between, by the modules of `payman_sdk` that they come from.
    """
    homes = {name: home for home, several in names.items() for name in several.split()}

    def find(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value = getattr(import_module(f"payman_sdk.{homes[name]}"), name)
        setattr(sys.modules[module], name, value)
        return value

    return find
