"""The examples are programs: each runs as a user would run it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_the_example_of_testing_your_agent_passes(tmp_path: Path) -> None:
    """The example's three tests pass in a folder of their own, with nothing but the kit."""
    project = tmp_path / "project"
    shutil.copytree(EXAMPLES / "testing-your-agent", project)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "error"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_the_example_uses_only_what_is_public() -> None:
    """The example imports nothing of the SDK but what its packages export."""
    imports = [
        line
        for path in EXAMPLES.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(r"(from|import) payman", line)
    ]
    assert imports
    for line in imports:
        found = re.fullmatch(r"from (payman_sdk(?:\.(?:sandbox|errors))?) import (.+)", line)
        assert found, line
        home = __import__(found[1], fromlist=["*"])
        public = getattr(home, "__all__", [name for name in dir(home) if not name.startswith("_")])
        assert {name.strip() for name in found[2].split(",")} <= set(public), line


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
