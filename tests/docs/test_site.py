"""The documentation builds without a warning, and what is built needs nothing from anywhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from tests.docs.pages import DOCS

# What a browser fetches by itself when it shows a page.
FETCHED = {
    ("script", "src"),
    ("img", "src"),
    ("iframe", "src"),
    ("source", "src"),
    ("video", "src"),
    ("audio", "src"),
    ("object", "data"),
    ("embed", "src"),
    ("link", "href"),
}


TAG = re.compile(r"""<([a-z]+)\b(?:[^>"']|"[^"]*"|'[^']*')*>""", re.IGNORECASE)


class References(HTMLParser):
    """What a page makes a browser fetch."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[str] = []
        # To parse whole pages takes five times as long. What only looks like a tag, as in a script, is held to the same.
        names = {name for name, _ in FETCHED}
        for tag in TAG.finditer(page.read_text(encoding="utf-8")):
            if tag[1].lower() in names or "style" in tag[0].lower():
                self.reset()
                self.feed(tag[0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        # `prev` and `next` are pages to go to.
        if tag == "link" and given.get("rel") in {"prev", "next"}:
            return
        self.found += [value for name, value in given.items() if value and (tag, name) in FETCHED]
        self.found += _in_style(given.get("style") or "")


def _in_style(text: str) -> Iterator[str]:
    yield from (found[1] for found in re.finditer(r"""url\(["']?([^"')]+)""", text))
    yield from (found[1] for found in re.finditer(r"""@import\s+["']([^"']+)""", text))


def test_every_page_is_built(site: Path) -> None:
    """Each page of docs/ is a page of the site; the build itself fails on one that is not in the navigation."""
    pages = {path.relative_to(DOCS).with_suffix(".html") for path in DOCS.rglob("*.md")}
    assert pages <= {path.relative_to(site) for path in site.rglob("*.html")}


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    """Pages and style sheets refer to files of the site and to nothing else."""
    fetched = {page: References(page).found for page in site.rglob("*.html")}
    fetched |= {sheet: [*_in_style(sheet.read_text(encoding="utf-8"))] for sheet in site.rglob("*.css")}
    assert sum(map(len, fetched.values())) > 50
    for where, addresses in fetched.items():
        for address in addresses:
            assert not re.match(r"(?!data:)[\w+.-]+:|//", address), f"{where}: {address}"
            if not address.startswith(("data:", "#")):
                place = site if address.startswith("/") else where.parent
                assert (place / address.lstrip("/").partition("?")[0].partition("#")[0]).exists(), (
                    f"{where}: {address}"
                )


def test_what_users_call_is_in_the_reference(site: Path) -> None:
    """Every public name has its place in the reference: an anchor of its own."""
    import payman_sdk
    from payman_sdk import errors, sandbox, types

    anchors = {
        found
        for page in (site / "reference").glob("*.html")
        for found in re.findall(r'id="(payman_sdk[\w.]+)"', page.read_text(encoding="utf-8"))
    }
    homes = ("", "types.", "errors.", "token_stores.")
    for name in payman_sdk.__all__:
        found = {f"payman_sdk.{home}{name}" for home in homes} & anchors
        assert found or name == "__version__", name
    named = {f"payman_sdk.sandbox.{name}" for name in sandbox.__all__}
    # What the package names too is described there.
    named |= {f"payman_sdk.types.{name}" for name in types.__all__ if f"payman_sdk.{name}" not in anchors}
    named |= {
        f"payman_sdk.errors.{name}"
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.PaymanError)
    }
    assert named - anchors == set()


def test_examples_of_docstrings_are_shown_as_code(site: Path) -> None:
    """No example of a docstring became a quotation or a box of prose."""
    pages = {page.name: page.read_text(encoding="utf-8") for page in (site / "reference").glob("*.html")}
    assert "&gt;&gt;&gt;" in pages["client.html"]
    for name, page in pages.items():
        assert "admonition" not in page, name
        assert "<blockquote>" not in page, name


def test_llms_txt_names_every_page_of_the_navigation(site: Path) -> None:
    """The overview for language models links each page, and each link leads to a page."""
    text = (site / "llms.txt").read_text(encoding="utf-8")
    linked = {DOCS / found for found in re.findall(r"/main/docs/([\w/.-]+\.md)\)", text)}
    assert linked == set(DOCS.rglob("*.md")) - {DOCS / "index.md"}
