"""What editors and programs see of the methods: every keyword by its name, in `help()`, `inspect` and jedi."""

from __future__ import annotations

import inspect
import pydoc
import typing
from pathlib import Path
from typing import Any

import pytest

from payman_sdk import AsyncConversation, AsyncPaymanClient, Conversation, PaymanClient, errors, login
from payman_sdk.sandbox import Sandbox
from payman_sdk.types import (
    JsonAskOptions,
    MarkdownAskOptions,
    PaymanConfig,
    PayOptions,
    ReadOptions,
    ReplyOptions,
    SettleOptions,
    StreamOptions,
)

ROOT = Path(__file__).parent.parent

OPTIONS = {
    "ask": MarkdownAskOptions,
    "stream": StreamOptions,
    "reply": ReplyOptions,
    "pay": PayOptions,
    "create_payee": PayOptions,
    "approve": SettleOptions,
    "deny": SettleOptions,
    "payment_status": ReadOptions,
    "wallets": ReadOptions,
    "payees": ReadOptions,
    "transactions": ReadOptions,
}
CONSTRUCTORS = ("__init__", "with_credentials", "from_env", "with_token", "with_auth_code")


def keywords_of(function: Any) -> set[str]:
    parameters = inspect.signature(function).parameters.values()
    hidden = [
        one.name
        for one in parameters
        if one.kind in (one.VAR_KEYWORD, one.VAR_POSITIONAL) and one.name != "self"
    ]
    assert not hidden, f"{function.__qualname__} hides keywords in {hidden}"
    return {one.name for one in parameters}


def test_every_option_and_setting_is_a_keyword() -> None:
    """The keywords of a method are the keys of its TypedDict, on clients and conversations of both kinds."""
    for owner in (PaymanClient, AsyncPaymanClient, Conversation, AsyncConversation):
        for name, options in OPTIONS.items():
            missing = typing.get_type_hints(options).keys() - keywords_of(getattr(owner, name))
            assert not missing, (owner, name, missing)
    assert typing.get_type_hints(JsonAskOptions).keys() == typing.get_type_hints(MarkdownAskOptions).keys()
    settings = typing.get_type_hints(PaymanConfig).keys()
    for owner in (PaymanClient, AsyncPaymanClient):
        for name in CONSTRUCTORS:
            missing = settings - keywords_of(getattr(owner, name))
            assert not missing, (owner, name, missing)
    for function in (login, Sandbox.client, Sandbox.async_client):
        assert not settings - keywords_of(function), function


def test_a_description_names_the_options_of_its_method() -> None:
    """`ask` describes each of its own; another method takes fewer, and says where they are described."""
    for name, options in OPTIONS.items():
        described = inspect.getdoc(getattr(PaymanClient, name)) or ""
        own = keywords_of(getattr(PaymanClient, name)) - {"self"}
        assert name == "ask" or f"`{options.__name__}`" in described, name
        undescribed = {one for one in own if f"\n    {one}: " not in described}
        assert undescribed <= typing.get_type_hints(options).keys(), name


def test_both_kinds_have_the_same_methods_and_descriptions() -> None:
    """An asynchronous method has the keywords, the annotations and the description of the other one."""
    for first, second in ((PaymanClient, AsyncPaymanClient), (Conversation, AsyncConversation)):
        names = {name for name in dir(first) if not name.startswith("_")}
        assert names == {name for name in dir(second) if not name.startswith("_")}
        for name in names:
            one, other = getattr(first, name), getattr(second, name)
            assert one.__doc__ and one.__doc__ == other.__doc__, name
            if callable(one):
                assert str(inspect.signature(one)).replace("httpx.Client", "httpx.AsyncClient").replace(
                    "Conversation", "AsyncConversation"
                ).replace("TaskStream", "AsyncTaskStream") == str(inspect.signature(other)), name
    assert inspect.iscoroutinefunction(AsyncPaymanClient.ask)


def test_ask_has_two_overloads_and_help_shows_the_keywords() -> None:
    """`help(client.ask)` is one signature with every keyword, and the description of each."""
    for owner in (PaymanClient, AsyncPaymanClient):
        assert len(typing.get_overloads(owner.ask)) == 2
        shown = pydoc.plain(pydoc.render_doc(owner.ask))
        for name in typing.get_type_hints(MarkdownAskOptions):
            assert f"{name}: " in shown.partition("\n\n")[2], name


@pytest.mark.slow
def test_jedi_offers_methods_with_their_keywords() -> None:
    """However a client was made, jedi (IPython, Emacs, Vim) knows its class, its methods and their keywords."""
    import jedi  # type: ignore[import-untyped] # which takes long

    makers = (
        "PaymanClient(client_id='x')",
        "PaymanClient.from_env().with_options(timeout=3)",
        "PaymanClient.from_env().conversation()",
        "AsyncPaymanClient.with_token('x', {})",
        "Sandbox().client()",
    )
    calls = {"ask": "idempotency_key", "pay": "amount", "stream": "extra_headers"}
    lines = [
        "from payman_sdk import AsyncPaymanClient, PaymanClient",
        "from payman_sdk.sandbox import Sandbox",
    ]
    places: list[tuple[str, int, str, str]] = []
    for maker in makers:
        lines.append(f"client = {maker}")
        for call, keyword in calls.items():
            lines.append(f"client.{call}()")
            places.append((maker, len(lines), call, keyword))
    project = jedi.Project(ROOT, added_sys_path=[str(ROOT), str(ROOT / "generated")])
    script = jedi.Script("\n".join(lines), project=project)  # one for all, so that each module is read once
    for maker, line, call, keyword in places:
        if call == "ask":
            offered = {one.name for one in script.complete(line, len("client."))}
            assert calls.keys() <= offered, maker
        found = script.get_signatures(line, len(f"client.{call}("))
        assert found and all(keyword in {one.name for one in signature.params} for signature in found), (
            maker,
            call,
        )


def test_errors_are_names_of_the_package() -> None:
    """Every exception can be imported from `payman_sdk`."""
    import payman_sdk

    for name in errors.__all__:
        assert getattr(payman_sdk, name) is getattr(errors, name)
        assert name in payman_sdk.__all__
