"""A small API document, and what the generator makes of it: the record that test_golden.py compares with.

The record has a file for each one that is generated, by the same name and `.txt`: so neither pytest, ruff nor mypy takes it
for code of the project, a change of a template shows in a diff file by file, and nobody needs to know about exceptions.

    python -m tests.regenerate.golden --record     write the record anew
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from difflib import unified_diff
from pathlib import Path

from scripts.regeneration.documents import check
from scripts.regeneration.generator import generate
from tests.yaml_text import load_yaml

HERE = Path(__file__).parent
DOCUMENT = HERE / "golden.openapi.yaml"
RECORD = HERE / "payman_api"
SPEC = HERE.parents[2] / "spec"
HOW = "python -m tests.regenerate.golden --record"

_SUFFIX = ".txt"
_LINES = 30


def generated(spec: Path = SPEC) -> dict[str, bytes]:
    """What the generator makes of the document with the templates and settings of a folder, file by file."""
    document = load_yaml(DOCUMENT.read_text(encoding="utf-8"))
    check(document, DOCUMENT.name)
    with tempfile.TemporaryDirectory(prefix="payman-golden-") as scratch:
        package = Path(scratch) / RECORD.name
        generate(document, spec, package)
        return _files(package)


def recorded() -> dict[str, bytes]:
    """What is recorded, by the names of the generated files."""
    return {name.removesuffix(_SUFFIX): content for name, content in _files(RECORD).items()}


def record() -> None:
    """Writes the record anew."""
    found = generated()
    shutil.rmtree(RECORD, ignore_errors=True)
    for name, content in found.items():
        place = RECORD / (name + _SUFFIX)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def difference(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> str | None:
    """The first file that is not the same, and the beginning of what is different in it; None where all are the same."""
    for name in sorted({*old, *new}):
        if old.get(name) == new.get(name):
            continue
        others = sum(old.get(other) != new.get(other) for other in {*old, *new}) - 1
        title = f"{name} {'is new' if name not in old else 'is gone' if name not in new else 'is different'}"
        was, now = (side.get(name, b"").decode("utf-8", "replace").splitlines() for side in (old, new))
        diff = [*unified_diff(was, now, "recorded", "generated", lineterm="", n=1)]
        cut = ["…"] if len(diff) > _LINES else []
        return "\n".join(
            [f"{title} ({others} more differ)", *diff[:_LINES], *cut, f"If that is meant: {HOW}"]
        )
    return None


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
