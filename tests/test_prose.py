"""The prose check finds unclear phrases and long sentences, and its limits only fall."""

from __future__ import annotations

from pathlib import Path

from scripts.prose import Text, find_faults, lower_limits, measure, read_prose

LONG = "The client sends the request again and again and again until the server that it talks to has answered it or the time for the whole ask ends."


def find_kinds(text: str) -> list[str]:
    return [found.kind for found in find_faults([Text("docs", Path("/page.md"), 1, text)], Path("/"))]


def test_phrases_and_long_sentences_are_found() -> None:
    """Each row is a text and what is wrong with it."""
    table = {
        "The model is told the result.": ["phrase"],
        "A thread of its own.": ["phrase"],
        "It stands. It tells. It learns.": ["phrase"] * 3,
        "It is no longer there.": [],
        "A canceled call; its color and behavior.": [],
        "A cancelled call; its colour and behaviour.": ["phrase"] * 3,
        "It recognises, raises and promises.": ["phrase"],
        LONG: ["long"],
        LONG.replace("until", "until.\n\nOr until"): [],
        "Short sentence. " * 20: [],
        "| one cell | " + "another cell with words | " * 10: [],
        "- an item\n" * 20: [],
    }
    assert {text: find_kinds(text) for text in table} == table


def test_code_is_not_prose(tmp_path: Path) -> None:
    """Blocks of code and names in backticks are left out; docstrings, comments and messages are read."""
    (tmp_path / "README.md").write_text("`told` and\n\n```python\ntold = 1\n```\n")
    (tmp_path / "payman_sdk").mkdir()
    module = tmp_path / "payman_sdk" / "a.py"
    module.write_text(
        '"""It is told."""\ntold = "the text was told to us"  # told: why\nprint(f"{told} was told twice")\n'
    )
    figures = measure(find_faults(read_prose(tmp_path), tmp_path))
    assert figures == {"comments": 1, "docstrings": 1, "messages": 2}


def test_limits_only_fall() -> None:
    """A figure above its limit does not raise the limit; a figure below lowers it."""
    assert lower_limits({"docs": 5, "README": 2, "gone": 3}, {"docs": 9, "README": 1, "new": 4}) == {
        "docs": 5,
        "README": 1,
        "gone": 0,
        "new": 4,
    }
