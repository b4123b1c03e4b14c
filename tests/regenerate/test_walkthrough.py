"""docs/regenerating.md shows what happens."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.regenerate.conftest import DOCUMENT, ROOT, Regenerate
from tests.yaml_text import dump_yaml, load_yaml

PAGE = (ROOT / "docs" / "regenerating.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.usefixtures("copy", "_what_is_known_of_ours")
def test_the_change_that_is_walked_through_prints_what_the_page_shows(
    tmp_path: Path, regenerate: Regenerate
) -> None:
    """The page's change to the document, applied to today's, prints the page's output, word for word."""
    shutil.copy(ROOT / DOCUMENT, tmp_path / "new.yaml")
    subprocess.run(["git", "apply", "-"], input=blocks("diff")[0], cwd=tmp_path, text=True, check=True)
    run = regenerate("--from", str(tmp_path / "new.yaml"))
    assert run.status == 0, run.err
    assert run.out == blocks("text")[1]


def test_the_line_that_the_page_mends_is_there() -> None:
    """What the page says to adapt is a line of the code, as it stands."""
    old, new = re.search(r"^    -    (.*)\n    \+    (.*)$", PAGE, re.MULTILINE).groups()  # type: ignore[union-attr] # or the test fails
    assert old in (ROOT / "payman_sdk/_core/requests.py").read_text(encoding="utf-8")
    assert new == old.replace("history_length", "history_limit")


def test_the_overlay_of_the_page_gives_the_mark_that_is_missing(
    bare: Path, tmp_path: Path, regenerate: Regenerate
) -> None:
    """A mark that is missing is added by the overlay that the page shows."""
    document: Any = load_yaml((ROOT / DOCUMENT).read_text(encoding="utf-8"))
    mark = document["paths"]["/api/a2a/tasks/get"]["post"].pop("x-payman-evidence")
    upstream = tmp_path / "upstream.yaml"
    upstream.write_text(dump_yaml(document), encoding="utf-8")
    (bare / "spec" / "overlays").mkdir()
    (bare / "spec" / "overlays" / "evidence.yaml").write_text(blocks("yaml")[0], encoding="utf-8")
    run = regenerate("--from", str(upstream))
    assert run.status == 0, run.err
    written: Any = load_yaml((bare / DOCUMENT).read_text(encoding="utf-8"))
    assert written["paths"]["/api/a2a/tasks/get"]["post"]["x-payman-evidence"] == mark
    assert (bare / "spec" / "upstream.openapi.yaml").read_text(encoding="utf-8") == upstream.read_text(
        encoding="utf-8"
    )
