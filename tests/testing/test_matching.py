from __future__ import annotations

import json
import uuid
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from payman_api import ACCESS_TOKEN_HEADER, PATHS
from payman_sdk.testing._redaction.request_matching import (
    IdMap,
    RequestContent,
    is_played,
    measure_likeness,
)
from tests.tables import table

ASK = PATHS["send_task"]


def find_differences(recorded: RequestContent, live: RequestContent) -> list[str]:
    return IdMap().find_differences(recorded, live)


def task(number: int, kind: str = "tsk") -> str:
    return f"{kind}-{uuid.UUID(int=number)}"


def ask(
    text: Any = "send 10 TSD",
    *,
    ids: int = 1,
    session: int = 1,
    path: str = ASK,
    token: str = "",
    **params: Any,
) -> RequestContent:
    body = {
        "id": task(ids, "req"),
        "params": {
            "id": task(ids),
            "sessionId": task(session, "ses"),
            "message": {"parts": [{"type": "text", "text": text}]},
            **params,
        },
    }
    headers = {"content-type": "application/json", **({ACCESS_TOKEN_HEADER: token} if token else {})}
    return RequestContent.from_request(
        "POST", f"https://agent.payman.ai{path}", headers, json.dumps(body).encode()
    )


def get(query: str = "", **headers: str) -> RequestContent:
    return RequestContent.from_request("GET", f"https://agent.payman.ai/x?{query}", headers, None)


def test_ids_made_anew_make_no_difference() -> None:
    """A request with new ids at another host is the recorded one, whatever the order of its members."""
    assert find_differences(ask(ids=1), ask(ids=2, session=7)) == []
    one = RequestContent.from_request("POST", "http://127.0.0.1/x", {}, b'{"a": 1, "b": [2.0, null]}')
    other = RequestContent.from_request("post", "https://agent.payman.ai/x", {}, b'{"b":[2,null],"a":1}')
    assert find_differences(one, other) == []


def test_relations_between_ids_matter() -> None:
    """The session of the first ask is the session of the second, or it is another request."""
    ids = IdMap()
    assert ids.match_requests(ask(ids=1, session=1), ask(ids=11, session=11)) == []
    assert ids.match_requests(ask(ids=2, session=1), ask(ids=12, session=12)) == [
        f"params.sessionId: recorded {task(1, 'ses')} (played as {task(11, 'ses')}), now {task(12, 'ses')}"
    ]
    assert ids.match_requests(ask(ids=2, session=1), ask(ids=12, session=11)) == []


def test_two_recorded_ids_do_not_become_one() -> None:
    """Where the recording had two tasks, one task with one id is a difference."""
    ids = IdMap()
    assert ids.match_requests(ask(ids=1), ask(ids=11)) == []
    found = ids.match_requests(ask(ids=2), ask(ids=11))
    assert [line.partition(":")[0] for line in found] == ["id", "params.id"]


def test_an_id_is_renamed_to_an_id_of_its_kind() -> None:
    """A task is no session, and an id is no text."""
    one, other = ask(metadata=task(5)), ask(metadata=task(5, "ses"))
    assert find_differences(one, other) == [f"params.metadata: recorded {task(5)}, now {task(5, 'ses')}"]
    assert find_differences(one, ask(metadata="none")) == [f'params.metadata: recorded {task(5)}, now "none"']


def test_ids_within_texts_are_renamed_too() -> None:
    """A prompt that names a task names the same task."""
    recorded = ask(f"how is {task(1)} doing?")
    assert find_differences(recorded, ask(f"how is {task(2)} doing?", ids=2)) == []
    assert find_differences(recorded, ask(f"how is {task(3)} doing?", ids=2)) != []


def test_nothing_is_kept_of_a_request_that_differs() -> None:
    """Only a request that agrees as a whole says which ids stand for which."""
    ids = IdMap()
    assert ids.match_requests(ask("one", ids=1), ask("two", ids=11)) != []
    assert ids.find_differences(ask("one", ids=1), ask("one", ids=11)) == []
    assert ids.translate(task(1).encode()) == task(1).encode()
    assert ids.match_requests(ask("one", ids=1), ask("one", ids=12)) == []
    assert ids.translate(task(1).encode()) == task(12).encode()


@table(
    ("recorded", "live", "found"),
    [
        (
            ask("send 10 TSD"),
            ask("send 20 TSD"),
            ['params.message.parts[0].text: recorded "send 10 TSD", now "send 20 TSD"'],
        ),
        (ask(), ask(metadata={"a": 1}), ['params.metadata: recorded absent, now {"a": 1}']),
        (ask(metadata=None), ask(), ["params.metadata: recorded null, now absent"]),
        (ask(metadata=True), ask(metadata=1), ["params.metadata: recorded true, now 1"]),
        (ask(metadata=[1, 2]), ask(metadata=[1]), ["params.metadata[1]: recorded 2, now absent"]),
        (ask(path="/a"), ask(path="/b"), ['path: recorded "/a", now "/b"']),
        (get("a=1&b=2"), get("b=2&a=1"), []),
        (get("a=1&a=2"), get("a=2&a=1"), ['query.a[0]: recorded "1", now "2"', 'query.a[1]: recorded "2", now "1"']),
        (get("a=1"), get("a=1&b="), ['query.b: recorded absent, now ""']),
        (get(accept="x"), get(accept="y"), []),
        (get(**{"last-event-id": "3"}), get(), ['header last-event-id: recorded "3", now absent']),
        (get(), RequestContent.from_request("POST", "https://h/x?", {}, b"a b"), ["method: recorded GET, now POST", 'body: recorded null, now "a b"']),
    ],
)  # fmt: skip
def test_a_difference_says_where_and_what(
    recorded: RequestContent, live: RequestContent, found: list[str]
) -> None:
    """Each line names the place, what was recorded and what there is now."""
    assert find_differences(recorded, live) == found


def test_a_long_text_is_shown_where_it_differs() -> None:
    """A line stays a line, and shows the place."""
    (line,) = find_differences(ask("x" * 500 + "10" + "y" * 500), ask("x" * 500 + "20" + "y" * 500))
    assert 'x10y' in line and "x20y" in line and len(line) < 400  # fmt: skip


def test_forms_are_compared_by_name() -> None:
    """The order of a form's parameters says nothing."""
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    one, other, third = (
        RequestContent.from_request("POST", "https://h/x", headers, body)
        for body in (b"a=1&b=2", b"b=2&a=1", b"a=1")
    )
    assert find_differences(one, other) == []
    assert find_differences(one, third) == ['b: recorded "2", now absent']


def test_what_a_cassette_gave_out_has_to_come_back() -> None:
    """A token that was issued in the recording is that token; one that the test brought along may have another number."""
    first, second = "SCRUBBED-access-token-1", "SCRUBBED-access-token-2"
    assert find_differences(ask(token=first), ask(token=second)) == [
        f"header {ACCESS_TOKEN_HEADER}: recorded {first}, now {second}"
    ]
    brought = IdMap({second})
    assert brought.match_requests(ask(token=first), ask(ids=2, token=second)) == []
    assert brought.find_differences(ask(token=second), ask(token=second)) != []
    assert IdMap({second}).find_differences(ask(token="SCRUBBED-client-id-1"), ask(token=second)) != []


def test_a_recording_that_was_played_is_distinguished_from_another() -> None:
    """Differences in nothing but ids that stand for others mean that the recording is used up."""
    ids = IdMap()
    ids.match_requests(ask(ids=1), ask(ids=11))
    assert is_played(ids.find_differences(ask(ids=1), ask(ids=12)))
    assert not is_played(ids.find_differences(ask("a", ids=1), ask("b", ids=12)))
    assert not is_played([])


def test_likeness_orders_what_differs() -> None:
    """Of two recordings the one with the nearer text is more alike, whatever the ids."""
    live = ask("send 21 TSD to John Doe", ids=2**127 + 3)
    near, far = ask("send 22 TSD to John Doe", ids=7**40), ask("send 34 TSD to John Doe", ids=2**127 + 3)
    assert measure_likeness(near, live) > measure_likeness(far, live)


NUMBERS = st.integers(0, 5)
ASKS = st.lists(st.tuples(NUMBERS, NUMBERS, st.sampled_from(["a", "b"])), min_size=1, max_size=6)


@given(ASKS, st.permutations(range(6)))
def test_a_consistent_renaming_never_matters(asks: list[tuple[int, int, str]], names: list[int]) -> None:
    """Whatever is asked in whatever sessions: with other names for the same ids every request agrees, and answers speak of the live ids."""
    ids = IdMap()
    for number, session, text in asks:
        recorded = ask(text, ids=number, session=session)
        assert (
            ids.match_requests(recorded, ask(text, ids=100 + names[number], session=100 + names[session]))
            == []
        )
        answer = f'data: {{"id":"{task(number)}","s":"{task(session, "ses")}"}}\n\n'.encode()
        expected = (
            f'data: {{"id":"{task(100 + names[number])}","s":"{task(100 + names[session], "ses")}"}}\n\n'
        )
        assert ids.translate(answer) == expected.encode()


@given(ASKS, ASKS)
def test_only_a_renaming_agrees(
    recorded: list[tuple[int, int, str]], live: list[tuple[int, int, str]]
) -> None:
    """If all requests of two runs agree, each recorded id always had the same live id, and the other way round."""
    ids = IdMap()
    pairs = [*zip(recorded, live, strict=False)]
    if any(
        ids.match_requests(ask(a[2], ids=a[0], session=a[1]), ask(b[2], ids=b[0], session=b[1]))
        for a, b in pairs
    ):
        return
    for place in (0, 1):
        both = {(a[place], b[place]) for a, b in pairs}
        assert len({one for one, _ in both}) == len({other for _, other in both}) == len(both)
    assert [a[2] for a, _ in pairs] == [b[2] for _, b in pairs]


def test_ids_swap_in_one_go() -> None:
    """Two ids that change places do not become one."""
    ids = IdMap()
    assert (
        ids.match_requests(ask(metadata=[task(1), task(2)], ids=9), ask(metadata=[task(2), task(1)], ids=9))
        == []
    )
    assert ids.translate(f"{task(1)} {task(2)}".encode()) == f"{task(2)} {task(1)}".encode()
