"""A browser without scripts: reads the form of a page and sends it as its buttons would."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import httpx

PAGE = "/oauth/authorize"


class Page(HTMLParser):
    """A page as a person gets it: its words, its only form, and whatever is loaded from elsewhere."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.answer = answer
        self.tags: list[str] = []
        self.foreign: list[str] = []
        self.action, self.method = "", ""
        self.fields: dict[str, str] = {}
        self.buttons: dict[str, dict[str, str]] = {}
        self._words: list[str] = []
        self.feed(answer.text)
        self.words = " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.foreign += [value for name, value in given.items() if name in ("src", "href", "style", "srcset")]
        self.foreign += [name for name in given if name.startswith("on")]
        match tag:
            case "form":
                assert not self.action, "a page has one form"
                self.action, self.method = given["action"], given["method"]
            case "input":
                assert given["type"] == "hidden"
                self.fields[given["name"]] = given["value"]
            case "button":
                self.buttons[given["value"]] = {given["name"]: given["value"]}
            case _:
                pass

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] != ["style"]:
            self._words.append(data)

    def press(self, http: httpx.Client, button: str, **changed: str) -> httpx.Response:
        """Send the form, its fields changed as named."""
        assert self.method == "post"
        return http.post(self.action, data={**self.fields, **self.buttons[button], **changed})


def landed(answer: httpx.Response) -> tuple[str, dict[str, str]]:
    """Where an answer sends the browser, without the query, and the query's parameters."""
    assert answer.status_code == 303, answer.text
    parts = urlsplit(answer.headers["location"])
    query = parse_qs(parts.query, strict_parsing=True)
    assert all(len(values) == 1 for values in query.values())
    return parts._replace(query="").geturl(), {name: values[0] for name, values in query.items()}
