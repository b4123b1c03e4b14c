"""A plugin of pytest that imports a mutant in the place of its module: `MUTANT=module=file python -m pytest -p scripts.mutation.plugin`."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Finder:
    def __init__(self, name: str, file: str) -> None:
        self._name, self._file = name, file

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return importlib.util.spec_from_file_location(name, self._file) if name == self._name else None


if "MUTANT" in os.environ:
    sys.meta_path.insert(0, _Finder(*os.environ["MUTANT"].split("=", 1)))
