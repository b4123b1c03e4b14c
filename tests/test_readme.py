"""Every Python block of README runs by itself, against a sandbox."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

from payman_sdk import PaymanClient
from payman_sdk.sandbox import Sandbox

README = Path(__file__).parent.parent / "README.md"
CONTRIBUTING = README.with_name("CONTRIBUTING.md")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_readme_runs_as_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each block runs when it is pasted alone, and prints what the comment behind a `print` says.

    One that keeps something in a file does so each time that it is run in the same folder.
    """
    with Sandbox(clients={"your_client_id": "your_client_secret"}) as sandbox:
        monkeypatch.setenv("PAYMAN_BASE_URL", sandbox.base_url)
        monkeypatch.chdir(tmp_path)  # one block keeps operations in a file
        checked = 0
        runs = [
            (number, block)
            for number, block in enumerate(BLOCKS, 1)
            for _ in range(5 if "Store(" in block else 1)
        ]
        for number, block in runs:
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(block, f"README block {number}", "exec"), {})  # noqa: S102 # our own README
            for expected in re.findall(r"print\(.*\)  # -> (.*)$", block, re.MULTILINE):
                assert expected in printed.getvalue().splitlines(), block
                checked += 1
    assert len(BLOCKS) >= 7
    assert len(runs) > len(BLOCKS)
    assert checked >= 5


def test_the_test_in_readme_passes(payman_client: PaymanClient, payman_sandbox: Sandbox) -> None:
    """The test that README shows passes, with the fixtures that it names."""
    [block] = [block for block in BLOCKS if "def test_" in block]
    namespace: dict[str, Any] = {}
    exec(compile(block, "README", "exec"), namespace)  # noqa: S102 # our own README
    namespace["test_my_agent"](payman_client, payman_sandbox)
    assert len(payman_sandbox.payments) == 1


def test_contributing_says_what_ci_runs() -> None:
    """CONTRIBUTING names the commands that CI runs, and they are the ones CI runs."""
    ci = (README.parent / ".ci" / "run").read_text(encoding="utf-8")
    commands = [line.removesuffix(" &") for line in ci.splitlines() if line.startswith("scripts/")]
    assert commands == [
        "scripts/regenerate --check",
        "scripts/lint",
        "scripts/release",
        "scripts/test",
        "scripts/coverage",
        "scripts/bench --quick",
    ]
    assert (
        "`.ci/run` runs `scripts/regenerate --check`, `scripts/lint`, `scripts/release`, `scripts/test`, `scripts/coverage` and "
        "`scripts/bench --quick`" in CONTRIBUTING.read_text(encoding="utf-8")
    )


def test_every_script_that_is_named_exists_and_can_be_run() -> None:
    """Each `./scripts/…` of README and CONTRIBUTING is an executable file, and CONTRIBUTING names all of them."""
    named = set(re.findall(r"\./scripts/(\w+)", CONTRIBUTING.read_text(encoding="utf-8")))
    assert set(re.findall(r"\./scripts/(\w+)", README.read_text(encoding="utf-8"))) <= named
    there = {
        path.name for path in (README.parent / "scripts").iterdir() if path.is_file() and not path.suffix
    }
    assert named == there
    assert all((README.parent / "scripts" / name).stat().st_mode & 0o111 for name in there)


def test_readme_is_short_and_its_links_are_absolute() -> None:
    """README fits in 200 lines, and the package index can follow its links."""
    text = README.read_text(encoding="utf-8")
    assert 150 <= len(text.splitlines()) <= 200
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) > 20
    assert [link for link in links if not link.startswith("https://")] == []


def test_links_of_readme_lead_to_files_of_the_repository() -> None:
    """Each link into the repository names a file that exists."""
    for link in re.findall(
        r"payman-sdk-python/(?:blob/)?main/([^)#\s]+)", README.read_text(encoding="utf-8")
    ):
        assert (README.parent / link).exists(), link
