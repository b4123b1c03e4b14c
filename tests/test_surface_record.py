from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest

from scripts.surface.reading import facts_of, read_public
from tests.small_package import tree

pytestmark = pytest.mark.slow


ROOT = Path(__file__).parents[1]


def test_a_fact_is_a_line() -> None:
    """The record has each fact once, sorted by what it is about; facts of other names and of bases are in their place alone."""
    facts = [fact for fact in facts_of(ROOT) if not fact.home]
    head, *lines = (ROOT / "tests/public_api.txt").read_text().splitlines()
    assert head.startswith("# ")
    assert lines == [str(fact) for fact in facts]
    assert len(lines) == len(set(lines)) > 500
    assert "payman_sdk.errors.PaymanError: same as payman_sdk.PaymanError" in lines
    assert not any(line.startswith("payman_sdk.errors.PaymanError.") for line in lines)


def test_what_the_guides_name_of_the_kit_for_tests_is_recorded() -> None:
    """What sets vcrpy up, what refuses to save, and the plugin's settings and marker."""
    paths = {fact.path for fact in facts_of(ROOT)}
    assert paths >= {
        "payman_sdk.testing.recording.Recorder.config",
        "payman_sdk.testing.recording.SecretLeakError.leaks",
        "pytest.ini.payman_sandbox_scope",
        "pytest.ini.payman_sandbox_sockets",
        "pytest.mark.payman_sandbox",
    }


def test_what_is_left_out_of_the_record_exists() -> None:
    """A member that was renamed is not for users either."""
    for path in read_public(ROOT)["internal"]["names"]:
        module, owner, member = path.rsplit(".", 2)
        kind = getattr(importlib.import_module(module), owner)
        assert hasattr(kind, member) or f"self.{member} = " in inspect.getsource(kind), path


def test_bases_that_are_not_public_are_not_named(tmp_path: Path) -> None:
    """Their members are the public class's own, their type variables are filled in, and their bases take their place."""
    lines = (tree(tmp_path) / "tests/public_api.txt").read_text().splitlines()
    assert "payman_sdk.PaymanError: base Exception" in lines
    assert "payman_sdk.PaymanError.about: def (task: str) -> None" in lines
    assert "payman_sdk.PaymanClient.shared: def () -> int | None" in lines
    assert "payman_sdk.Config.timeout: option float" in lines
    assert not any("_" in line.partition(":")[0].rpartition(".")[2][:1] for line in lines if "__" not in line)
    assert not any("TimedOut.about" in line for line in lines)  # PaymanError, which is public, says it


def test_what_is_written_by_decorators_is_read(tmp_path: Path) -> None:
    """What attrs classes, dataclasses and named tuples are made with is known, and what of them can only be read."""
    lines = (tree(tmp_path) / "tests/public_api.txt").read_text().splitlines()
    assert [line.removeprefix("payman_sdk.sandbox.") for line in lines if ".sandbox." in line] == [
        "Kept: class",
        "Kept.__init__: def (key: str, tags: list[str] = ..., *, note: str | None = ...) -> None",
        "Kept.key: read-only str",
        "Kept.note: read-only str | None",
        "Kept.tags: read-only list[str]",
        "Payment: class",
        "Payment.__init__: def (amount: int, memo: str = ...) -> None",
        "Payment.amount: read-only int",
        "Payment.memo: read-only str",
        "Row: base typing.NamedTuple",
        "Row: class",
        "Row.__init__: def (key: str, count: int = ...) -> None",
        "Row.count: read-only int",
        "Row.is_empty: read-only bool",
        "Row.key: read-only str",
        "Secret: base typing.NamedTuple",
        "Secret: class",
        "Secret.__init__: def (marks: Iterable[str] = ...) -> None",
        "Secret.marks: read-only tuple[str, ...]",
    ]
