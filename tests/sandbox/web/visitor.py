"""A browser without scripts at the sandbox's page: it keeps cookies, and sends forms as they stand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any

import httpx

from payman_sdk import PaymanClient
from payman_sdk.sandbox import Sandbox

ORIGIN = "http://127.0.0.1:8642"


class Page(HTMLParser):
    """A page: its words, and its forms with their fields."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.answer, self.status, self.html = answer, answer.status_code, answer.text
        self.forms: list[dict[str, str]] = []
        self._words: list[str] = []
        self.feed(answer.text)
        self.words = " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append({"": given["action"]})
        elif tag == "input" and self.forms and given.get("type") not in ("radio", "checkbox"):
            self.forms[-1][given["name"]] = given["value"]

    def handle_data(self, data: str) -> None:
        self._words.append(data)

    def form(self, action: str) -> dict[str, str]:
        """The fields of the first form that is sent there."""
        return next(form for form in self.forms if form[""] == f"/web/{action}")


class Visitor:
    """A person at the page of a sandbox, and an app that is connected to it, without sockets."""

    def __init__(self, sandbox: Sandbox, http: httpx.Client, client: PaymanClient) -> None:
        self.sandbox, self.http, self.client = sandbox, http, client

    def get(self, path: str = "", **query: str) -> Page:
        """Load a page."""
        return Page(self.http.get(f"/web/{path}", params=query or None))

    def send(self, page: Page, action: str, **changed: str) -> httpx.Response:
        """Send a form of a page, with some fields changed."""
        fields = {**page.form(action), **changed}
        return self.http.post(fields.pop(""), data=fields, headers={"Origin": ORIGIN})

    def press(self, page: Page, action: str, **changed: str) -> Page:
        """Send a form and go where that leads."""
        answer = self.send(page, action, **changed)
        assert answer.status_code == 303, answer.text
        return Page(self.http.get(answer.headers["location"]))


@contextmanager
def visiting(**settings: Any) -> Iterator[Visitor]:
    """A visitor of a new sandbox."""
    sandbox = Sandbox(**({"clients": {"shop": "the-secret-of-the-shop"}} | settings))
    with (
        httpx.Client(transport=sandbox.transport(), base_url=ORIGIN) as http,
        httpx.Client(transport=sandbox.transport()) as app,
        sandbox.client(http_client=app) as client,
    ):
        yield Visitor(sandbox, http, client)
    sandbox.check_invariants()
    sandbox.close()
