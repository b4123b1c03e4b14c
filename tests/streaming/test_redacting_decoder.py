"""Events as they come out of a stream: without secrets that the server repeats, and of a size that can be read."""

from __future__ import annotations

import pytest

from payman_sdk._core.sse import EventTooLargeError, RedactingDecoder
from payman_sdk._secrets import SecretStr, sent_secrets

MANY_VALUES = b"data: [" + b"0," * 4_000_001 + b"0]\n\n"
SECRET = "an-access-token-of-somebody"


@pytest.fixture(autouse=True)
def _a_secret_that_was_sent() -> None:
    sent_secrets.add(SecretStr(SECRET))


def test_an_event_of_millions_of_values_is_too_large() -> None:
    """It would take many times its memory; what came before it, with it or in pieces, is given."""
    with pytest.raises(EventTooLargeError) as raised:
        RedactingDecoder().feed(b"data: before\n\n" + MANY_VALUES)
    assert [event.data for event in raised.value.events] == ["before"]
    assert raised.value.limit == 16 * 1024 * 1024

    decoder = RedactingDecoder()
    assert decoder.feed(MANY_VALUES[:-1]) == []
    with pytest.raises(EventTooLargeError) as raised:
        decoder.feed(MANY_VALUES[-1:])
    assert list(raised.value.events) == []


def test_a_large_event_of_few_values_comes() -> None:
    text = "x" * 3_000_000
    events = RedactingDecoder().feed(f"data: {text}\n\ndata: after\n\n".encode())
    assert [event.data for event in events] == [text, "after"]


def test_what_came_before_an_event_beyond_the_limit_is_given_redacted() -> None:
    decoder = RedactingDecoder(SecretStr(SECRET), limit=100)
    with pytest.raises(EventTooLargeError) as raised:
        decoder.feed(f"id: 7\ndata: {SECRET}\n\n".encode() + b"data: " + b"x" * 200 + b"\n\n")
    assert raised.value.limit == 100
    [event] = raised.value.events
    assert SECRET not in event.data
    assert (event.id, decoder.last_event_id) == ("7", "7")


def test_only_the_events_from_a_secret_on_are_redacted() -> None:
    decoder = RedactingDecoder(SecretStr(SECRET))
    assert [event.data for event in decoder.feed(b"data: plain\n\n")] == ["plain"]
    [event] = decoder.feed(f"data: it is {SECRET}\n\n".encode())
    assert SECRET not in event.data
    assert event.data.startswith("it is ")
