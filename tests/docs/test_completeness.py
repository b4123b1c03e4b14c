"""The pages name everything that a program can use: each setting, each option, each method."""

from __future__ import annotations

import re
from typing import get_type_hints

import payman_sdk.agents
import payman_sdk.sandbox
import payman_sdk.token_stores
from payman_sdk import AsyncPaymanClient, PaymanClient, errors
from payman_sdk import types as public_types
from tests.docs.pages import DOCS


def read_page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def find_rows(page: str) -> set[str]:
    """Return the names in the first column of the tables of a page."""
    return {
        name
        for row in re.findall(r"^\| (`[^|]+) \|", page, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }


def test_settings_has_a_row_for_each_setting_and_option() -> None:
    """A new setting or option fails until its row is there."""
    page = find_rows(read_page("guides/settings.md"))
    settings = set(get_type_hints(public_types.PaymanConfig))
    options = {
        name
        for kind in ("MarkdownAskOptions", "ReplyOptions", "StreamOptions", "PayOptions", "ReadOptions")
        for name in get_type_hints(getattr(public_types, kind))
    }
    assert settings | options | {"response_format"} <= page
    assert page <= settings | options | {"response_format"}


def test_the_reference_has_each_method_of_a_client() -> None:
    """A new method of a client fails until the reference lists it, and both clients list the same."""
    pages = {PaymanClient: "reference/client.md", AsyncPaymanClient: "reference/async_client.md"}
    listed = {
        client: re.findall(r"^ {8}- (\w+)$", read_page(page), re.MULTILINE) for client, page in pages.items()
    }
    for client, names in listed.items():
        public = {name for name in dir(client) if not name.startswith("_")}
        assert set(names) == public, client
        assert len(names) == len(set(names)), client
        assert names[:6] == ["with_credentials", "from_env", "with_auth_code", "with_token", "ask", "pay"]
    assert listed[PaymanClient] == listed[AsyncPaymanClient]


def test_the_reference_documents_each_public_name() -> None:
    """Every name that a public module exports is on a page of the reference, and no page names one that is missing."""
    documented = {
        name.rpartition(".")[2]
        for page in (DOCS / "reference").glob("*.md")
        for name in re.findall(r"^::: ([\w.]+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
    exported = {
        name
        for module in (
            payman_sdk,
            public_types,
            payman_sdk.sandbox,
            payman_sdk.agents,
            payman_sdk.token_stores,
        )
        for name in module.__all__
    }
    documented |= {*errors.__all__, "__version__", "errors"}  # pages of whole modules
    assert exported - documented == set()
