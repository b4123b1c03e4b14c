"""The documentation is a program: every block of every page runs, or says why it does not."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from payman_sdk import PaymanClient
from payman_sdk.sandbox import Sandbox
from tests import environments
from tests.docs.pages import DOCS, PAGES, Block, Run, blocks, environment
from tests.tables import table

# Examples leave clients open, here and in what ran before; that the SDK's own leave no socket behind is tested elsewhere.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

ROOT = DOCS.parent
LOCK = Path(__file__).with_name("frameworks.lock")
FRAMEWORKS = {"guides/django.md", "guides/flask.md", "guides/celery.md"}
"""Pages whose programs need packages that the project's environment leaves out."""

CREDENTIALS = {"your_client_id": "your_client_secret"}


def run_page(
    page: list[Block], folder: Path, monkeypatch: pytest.MonkeyPatch, python: Path | None = None
) -> Run:
    """Run blocks beside a sandbox that the environment names, and close what they left open."""
    with Sandbox(clients=CREDENTIALS) as sandbox:
        variables = {
            "PAYMAN_BASE_URL": sandbox.base_url,
            "PAYMAN_CLIENT_ID": sandbox.client_id,
            "PAYMAN_CLIENT_SECRET": sandbox.client_secret,
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / ".config"),
        }
        if python is not None:
            variables |= {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'generated'}", "PYTHONWARNINGS": ""}
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(folder)
        run = Run(folder, environment(variables, str(python or sys.executable)))
        try:
            run.run(page)
        finally:
            left = list(run.namespace.values())
            for client in left:
                if isinstance(client, PaymanClient):
                    client.close()
            for other in left:
                if isinstance(other, Sandbox):
                    other.close()
    return run


@pytest.fixture(scope="module")
def frameworks() -> Path:
    """The interpreter of an environment with Django, Flask and Celery."""
    return environments.with_locked(LOCK)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_page_runs_as_written(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Every block of a page runs, in order, and prints what the page says it prints."""
    needs_frameworks = page.relative_to(DOCS).as_posix() in FRAMEWORKS
    python = request.getfixturevalue("frameworks") if needs_frameworks else None
    run_page(blocks(page), tmp_path, monkeypatch, python)


@pytest.mark.parametrize("name", ["guides/agents.md", "guides/mcp.md"])
def test_a_page_that_keeps_operations_runs_again(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the same folder it prints the same: what it counted was of a sandbox that is gone."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:cacheprovider")
    for _ in range(2):
        run_page(blocks(DOCS / name), tmp_path, monkeypatch)
    assert list(tmp_path.rglob("operations.sqlite3"))


@table("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_files_of_a_page_are_used_on_it(page: Path) -> None:
    """A file that a page shows is run by a shell block of the page: by its name, or by pytest."""
    found = blocks(page)
    shell = "\n".join(block.source for block in found if block.language == "bash" and block.excuse is None)
    others = shell + "".join(block.source for block in found if block.language == "python")
    for block in found:
        if block.title is None or block.excuse is not None:
            continue
        name = Path(block.title)
        if name.suffix == ".py" and not name.name.startswith(("test_", "conftest")):
            assert re.search(rf"\b{name.stem}\b", others), f"{block}: nothing runs {name}"
        else:
            assert "pytest" in shell, f"{block}: nothing runs {name}"


def page_of(text: str) -> list[Block]:
    return blocks(DOCS / "index.md", text)


def test_blocks_that_fail_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong words behind a print, a print that never happens, a failing command, wrong output and an unknown language fail."""
    wrong = [
        "```python\nprint(1 + 1)  # -> 3\n```\n",
        "```python\nif False:\n    print(1)  # -> 1\n```\n",
        "```python\nfor n in (1, 2):\n    print(n)  # -> 1\n```\n",
        "```bash\nfalse\n```\n",
        "```bash\necho one; echo two\n```\n\nprints\n\n```text\none\nthree\n```\n",
        "```toml\na = 1\n```\n",
        "```\na\n```\n",
        "  ```toml\n  a = 1\n  ```\n",
    ]
    for text in wrong:
        with pytest.raises(AssertionError):
            run_page(page_of(text), tmp_path, monkeypatch)


def test_blocks_that_hold_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks share names and files, long prints count, and an excuse stands for one block."""
    text = (
        "```python\na = 2\n```\n\n```python\nprint(\n    a,\n    1,\n)  # -> 2 1\n```\n\n"
        '```python title="two.py"\nprint(2)\n```\n\n```bash\npython two.py; echo port 1234\n```\n\n'
        "```text\n2\nport …\n```\n\n<!-- not run: it is no program -->\n```toml\na: 1\n```\n\n```text\npicture\n```\n"
    )
    run = run_page(page_of(text), tmp_path, monkeypatch)
    assert run.namespace["a"] == 2
    excused = [block for block in page_of(text) if block.excuse]
    assert [(block.language, block.excuse) for block in excused] == [("toml", "it is no program")]


def test_lines_are_those_of_the_page() -> None:
    """A block knows the line of its fence, so that a failure names the place."""
    [block] = page_of("# Title\n\ntext\n\n```python\nx\n```\n")
    assert (block.line, block.source) == (5, "x\n")
