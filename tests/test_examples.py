"""The examples are programs: each runs as a user would run it."""

from __future__ import annotations

import ast
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests import programs
from tests.environments import AS_OTHERS

pytestmark = pytest.mark.slow


EXAMPLES = Path(__file__).parent.parent / "examples"
PUBLIC = {"payman_sdk", "payman_sdk.agents", "payman_sdk.errors", "payman_sdk.sandbox"}
MODULES_OF_EXTRAS = {
    "payman_sdk.agents.langchain": {"payman_tools"},
    "payman_sdk.agents.openai_agents": {"payman_tools"},
    "payman_sdk.agents.pydantic_ai": {"PaymanToolset"},
    "payman_sdk.agents.stores.postgres": {"PostgresOperationStore"},
    "payman_sdk.agents.stores.sqlite": {"SQLiteOperationStore"},
}
"""What they export; importing some of them takes long."""


def test_the_example_of_testing_your_agent_passes(tmp_path: Path) -> None:
    """The example's three tests pass in a folder of their own, with nothing but the kit."""
    project = tmp_path / "project"
    shutil.copytree(EXAMPLES / "testing-your-agent", project)
    done = programs.run(
        [sys.executable, "-m", "pytest", "-q", *AS_OTHERS, "-W", "error"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_the_example_uses_only_what_is_public() -> None:
    """No example imports anything of the SDK but what its packages export, or touches a name that begins with `_`."""
    seen: set[Path] = set()
    for path in EXAMPLES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            where = f"{path.relative_to(EXAMPLES)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Import):
                assert not any(name.name.startswith("payman") for name in node.names), where
            elif isinstance(node, ast.ImportFrom) and str(node.module).startswith("payman"):
                seen.add(path)
                if str(node.module) in MODULES_OF_EXTRAS:
                    assert {name.name for name in node.names} <= MODULES_OF_EXTRAS[str(node.module)], where
                    continue
                assert node.module in PUBLIC, where
                home = __import__(node.module, fromlist=["*"])
                public = getattr(home, "__all__", [name for name in dir(home) if not name.startswith("_")])
                assert {name.name for name in node.names} <= set(public), where
            elif isinstance(node, ast.Attribute) and re.match("_[^_]", node.attr):
                assert isinstance(node.value, ast.Name) and node.value.id == "self", where
    assert {path.parent.name for path in seen} == {path.parent.name for path in EXAMPLES.rglob("*.py")}


def test_the_example_shows_the_code_that_it_has() -> None:
    """Every block of Python in its README is in its files, word for word."""
    folder = EXAMPLES / "testing-your-agent"
    code = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    blocks = re.findall(
        r"^```python\n(.*?)^```$",
        (folder / "README.md").read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    assert len(blocks) == 3
    for block in blocks:
        assert block in code
