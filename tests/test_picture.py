"""README's picture is what the command shows."""

from __future__ import annotations

import re
import shutil
import sys

import pytest

from scripts.documentation.picture import PICTURE, drawn, screen

pytestmark = pytest.mark.slow


def _without_ids(svg: str) -> str:
    """The client makes other ids each time, of the same length."""
    return re.sub(r"(tsk|ses)-[0-9a-f-]{36}", r"\1-…", svg)


@pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("script") is None,
    reason="there is no `script` of util-linux, and so no terminal to draw",
)
def test_the_picture_shows_what_the_command_shows() -> None:
    """Run in a terminal today, the commands of the picture give the picture, to the letter and the colour."""
    assert _without_ids(drawn(screen())) == _without_ids(PICTURE.read_text(encoding="utf-8"))


def test_the_picture_needs_nothing_from_elsewhere() -> None:
    """No font and nothing else is fetched to show it."""
    svg = PICTURE.read_text(encoding="utf-8")
    assert "url(" not in svg.replace("url(#", "")
    assert "@import" not in svg
    assert "href" not in svg
