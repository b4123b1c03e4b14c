from __future__ import annotations

from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader

from tests.regenerate import golden


def test_the_document_gives_what_is_recorded() -> None:
    """The generator makes of the small document, byte for byte, what is recorded."""
    said = golden.difference(golden.recorded(), golden.generated())
    assert said is None, said


def test_what_is_recorded_is_python() -> None:
    """Every recorded module compiles."""
    modules = {name: code for name, code in golden.recorded().items() if name.endswith(".py")}
    assert len(modules) > 20
    for name, code in modules.items():
        compile(code, name, "exec")


def test_every_template_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The document needs each of them, so a change of any shows in the record."""
    used = set()
    load = FileSystemLoader.get_source

    def loading(loader: FileSystemLoader, environment: Environment, name: str) -> Any:
        found = load(loader, environment, name)
        used.add(name)
        return found

    monkeypatch.setattr(FileSystemLoader, "get_source", loading)
    assert golden.difference(golden.recorded(), golden.generated()) is None
    assert used == {path.name for path in (golden.SPEC / "templates").iterdir()}


def test_a_difference_names_the_first_file_and_what_to_do() -> None:
    """The message has the first file that differs, some lines of it, how many more there are, and the command."""
    old = {"a.py": b"same\n", "b.py": b"one\ntwo\nthree\n", "c.py": b"old\n"}
    said = golden.difference(old, {**old, "b.py": b"one\n2\nthree\n", "c.py": b"new\n"}) or ""
    assert said.splitlines()[0] == "b.py is different (1 more differ)"
    assert "-two" in said
    assert "+2" in said
    assert "python -m tests.regenerate.golden --record" in said
    assert "c.py" not in said
    assert "is new (0 more differ)" in (golden.difference(old, {**old, "d.py": b""}) or "")
    assert "is gone (0 more differ)" in (golden.difference({**old, "d.py": b""}, old) or "")
    assert golden.difference(old, dict(old)) is None
    assert len((golden.difference({}, {"a.py": b"line\n" * 1000}) or "").splitlines()) < 40
