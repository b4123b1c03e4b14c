from __future__ import annotations

from scripts.documentation.type_check import README, extract_modules
from tests.docs.pages import DOCS, blocks


def test_blocks_become_modules_with_the_lines_of_their_page() -> None:
    """A page is one module; a file of it and each block of README are modules alone; what is not run is not checked."""
    text = (
        "one\n\n```python\na = 1\n```\n\n```python\nb = a\n```\n\n<!-- not run: a picture -->\n```python\nc\n```\n\n"
        '```python title="shop_code.py"\nd = 2\n```\n\n```python\nimport shop_code\nfrom shop_code import d\n```\n'
    )
    page = DOCS / "index.md"
    modules = extract_modules(page, blocks(page, text))
    assert set(modules) == {"docs_index", "docs_index__shop_code"}
    lines = modules["docs_index"][1].splitlines()
    assert (lines[3], lines[7]) == ("a = 1", "b = a")
    assert lines[-2:] == ["import docs_index__shop_code as shop_code", "from docs_index__shop_code import d"]
    assert len(lines) == len(text.splitlines()) - 1
    assert set(extract_modules(README, blocks(README, "```python\na\n```\n\n```python\nb\n```\n"))) == {
        "README_1",
        "README_5",
    }


def test_pages_of_web_frameworks_are_checked() -> None:
    """The files of these pages are modules of the check, with stubs of the frameworks."""
    for page, files in (
        ("celery", {"jobs", "check"}),
        ("django", {"shop", "check"}),
        ("flask", {"shop", "check", "stream"}),
    ):
        modules = extract_modules(DOCS / "guides" / f"{page}.md", blocks(DOCS / "guides" / f"{page}.md"))
        assert set(modules) == {f"docs_guides_{page}__{file}" for file in files}
