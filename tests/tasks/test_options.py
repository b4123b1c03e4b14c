from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from payman_sdk import PaymanClient
from payman_sdk._config import read_config
from payman_sdk._core.options import build_default_options, resolve_options
from payman_sdk.errors import ConfigurationError
from tests.peer import Peer
from tests.tables import table


@table(
    ("options", "keywords", "read"),
    [
        (None, {}, {}),
        ({}, {}, {}),
        ({"new_session": None, "metadata": None, "on_message": None}, {"on_message": None}, {}),
        ({"metadata": {"a": 1}}, {}, {"metadata": {"a": 1}}),
        ({"metadata": {"a": 1}}, {"metadata": {"b": 2}}, {"metadata": {"b": 2}}),
        ({"metadata": {"a": 1}}, {"metadata": None}, {"metadata": {"a": 1}}),
        ({"new_session": True}, {"output_format": "json"}, {"new_session": True, "is_raw": True}),
        ({"timeout": 7}, {"raw": True, "text": "no option"}, {"timeout": 7, "is_raw": True}),
        (MappingProxyType({"metadata": MappingProxyType({"a": 1})}), {}, {"metadata": {"a": 1}}),
    ],
)
def test_options_come_from_a_dict_and_from_keywords(
    options: Mapping[str, Any] | None, keywords: dict[str, Any], read: dict[str, Any]
) -> None:
    """A keyword wins over the dict, the client's settings count where neither says anything, and None says nothing."""
    config = read_config({"client_id": "x", "timeout": 20}, {})
    names = ("metadata", "new_session", "on_message", "output_format", "timeout")
    plain = build_default_options(config)
    resolved = resolve_options(plain, dict.fromkeys(names) | keywords, options)
    assert (plain.timeout, plain.is_raw, plain.max_retries) == (20, False, 2)
    assert resolved == plain._replace(**read)


LOOP: dict[str, Any] = {}
LOOP["itself"] = LOOP


@table(
    ("text", "options", "said"),
    [
        ("", {}, "text is blank"),
        (" \n\t", {}, "text is blank"),
        (None, {}, "text is a NoneType"),
        (5, {}, "text is an int"),
        (b"Hello!", {}, "text is a bytes"),
        (["Hello!"], {}, "text is a list"),
        ("half \ud83d", {}, "text has an unpaired surrogate at position 5"),
        ("Hello!", {"on_message": "print"}, "on_message is a str. Give a function of one argument"),
        ("Hello!", {"timeout": 0}, "timeout is 0"),
        ("Hello!", {"timeout": "5"}, "timeout is '5'"),
        ("Hello!", {"idle_timeout": -1.0}, "idle_timeout is -1.0"),
        ("Hello!", {"output_format": "html"}, "output_format is 'html'. Use 'markdown' or 'json'."),
        ("Hello!", {"output_format": []}, "output_format is"),
        ("Hello!", {"new_session": "yes"}, "new_session is 'yes'"),
        ("Hello!", {"new_session": 1}, "new_session is 1"),
        ("Hello!", {"metadata": "source"}, "metadata is a str. Give a dict"),
        ("Hello!", {"message_metadata": [1]}, "message_metadata is a list"),
        ("Hello!", {"part_metadata": 5}, "part_metadata is an int"),
        ("Hello!", {"metadata": {"a": {1, 2}}}, "metadata cannot be sent as JSON"),
        ("Hello!", {"metadata": {"a": b"bytes"}}, "metadata cannot be sent as JSON"),
        ("Hello!", {"metadata": {("a", "b"): 1}}, "metadata cannot be sent as JSON"),
        ("Hello!", {"metadata": {"a": math.nan}}, "metadata cannot be sent as JSON"),
        ("Hello!", {"part_metadata": {"a": [-math.inf]}}, "part_metadata cannot be sent as JSON"),
        ("Hello!", {"message_metadata": {"a": "\udfff"}}, "message_metadata cannot be sent as JSON"),
        ("Hello!", {"message_metadata": {"\udfff": 1}}, "message_metadata cannot be sent as JSON"),
        ("Hello!", {"metadata": LOOP}, "metadata cannot be sent as JSON"),
    ],
)
@table("as_dict", [True, False])
def test_what_cannot_be_asked_is_refused(
    as_dict: bool, text: Any, options: Any, said: str, peer: Peer, client: PaymanClient
) -> None:
    """A wrong text or option is refused by name, before anything is sent, and the session stays as it was."""
    session_id = client.get_session_id()
    given: Any = {"new_session": True, **options}
    with pytest.raises(ConfigurationError) as caught:
        if as_dict:
            client.ask(text, given)
        else:
            client.ask(text, **given)
    assert said in str(caught.value)
    assert peer.requests == []
    assert client.get_session_id() == session_id


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"new_sesion": True}, "Did you mean 'new_session'"),
        ({"newSession": True}, "Did you mean 'new_session'"),
        ({"zzz": 1}, "Known are before_send, extra_headers, idempotency_key, idle_timeout"),
        ({"raw": True}, "'raw' is not an option of ask"),
    ],
)
def test_an_unknown_option_is_refused(options: Any, said: str, peer: Peer, client: PaymanClient) -> None:
    """In the dict it is a ConfigurationError that names the nearest one; as a keyword Python itself refuses it."""
    with pytest.raises(ConfigurationError, match=said):
        client.ask("Hello!", options)
    if "raw" not in options:
        with pytest.raises(TypeError, match="unexpected keyword argument"):
            client.ask("Hello!", **options)
    assert peer.requests == []


@pytest.mark.parametrize("options", ["json", 5, ["metadata"]])
def test_options_that_are_not_dict_are_refused(options: Any, peer: Peer, client: PaymanClient) -> None:
    """What is passed in place of the options gets an error that says so."""
    with pytest.raises(ConfigurationError, match=rf"options is an? {type(options).__name__}\."):
        client.ask("Hello!", options)
    assert peer.requests == []


def test_a_key_that_is_too_long_is_not_repeated(peer: Peer, client: PaymanClient) -> None:
    """Its length is what is wrong with it; one of the greatest length is taken."""
    with pytest.raises(
        ConfigurationError, match=r"^idempotency_key is 256 characters long\. .* 1 to 255"
    ) as caught:
        client.ask("Hello!", idempotency_key="k" * 256)
    assert "kkk" not in str(caught.value)
    assert peer.requests == []
    assert client.ask("Hello!", idempotency_key="k" * 255).status == "completed"
