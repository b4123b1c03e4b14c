"""A limit falls into every step of a story in turn: what was sent, seen or stored by then is neither lost nor contradicted.

Nothing here lists outcomes: the rules hold for every story, wherever and however it is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from payman_sdk import PaymanClient, PaymentOutcome
from payman_sdk.errors import PaymanError
from tests.auth.test_tokens import PERSON
from tests.guards import sample
from tests.peer import GET_PATH
from tests.tasks.cuts import HOWS, LAG, SECONDS, SENDS, Cutter, Stop, World


def ask(world: World, _: Cutter) -> Any:
    return world.client.ask("send", idempotency_key="k").state


def ask_anew(world: World, _: Cutter) -> Any:
    return world.client.ask("send").state


def stream(world: World, _: Cutter) -> Any:
    with world.client.stream("send", idempotency_key="k") as events:
        return events.result().state


def pay(world: World, _: Cutter) -> Any:
    return world.client.pay("Ada", "10.00", "TSD", idempotency_key="k")


def pay_by_tool(world: World, runner: Cutter) -> Any:
    return runner.run(world.toolkit._pay("Ada", "10.00", "TSD", "op-1"))


def approve_by_tool(world: World, runner: Cutter) -> Any:
    return runner.run(world.toolkit._reply("op-1", "approve"))


FINISHED = ("completed", "working", "paid", PaymentOutcome.PAID)


def pay_before(world: World, runner: Cutter) -> None:
    world.payment = pay(world, runner)


def read_again(world: World, _: Cutter) -> Any:
    return world.client.payment_status(world.payment)


class Story(NamedTuple):
    """What a program does, at which server, what it did before, and how long its access token lives."""

    tell: Callable[[World, Cutter], Any]
    server: dict[str, Any]
    before: Callable[[World, Cutter], Any] | None = None
    token_ends: float = 3600


STORIES = {
    "ask, answer lost": Story(ask_anew, {"lost": "l"}, token_ends=-1),
    "ask with a key, lost": Story(ask, {"lost": "n"}),
    "ask with a key, refused": Story(ask, {"lost": "r"}),
    "stream, early end": Story(stream, {"breaks": 2}),
    "pay": Story(pay, {"lost": "l", "works": 1}),
    "pay by tool": Story(pay_by_tool, {"works": 0}),
    "read again": Story(read_again, {"works": 0}, pay_before),
    "approve by tool": Story(approve_by_tool, {"works": 0, "waits": True}, pay_by_tool),
}


def run(story: Story, world: World, runner: Cutter) -> Any:
    """Return what came of it, be it raised."""
    try:
        end = story.tell(world, runner)
    except AssertionError:
        raise
    except BaseException as error:
        return error
    return getattr(end, "outcome", None) or getattr(end, "status", None) or end


def begin(client: PaymanClient, story: Story, at: int = 0, how: str = "") -> tuple[World, Cutter]:
    """Return where a story begins, and the runner that cuts it."""
    world = World(client, story.token_ends, **story.server)
    if story.before is not None:
        story.before(world, world.begin())
    return world, world.begin(at, how)


def try_again(story: Story, world: World, runner: Cutter, end: Any) -> Iterator[str]:
    """Yield what is wrong where a program tries once more, after all that may pause has paused."""
    world.clock.now += 700
    again = run(story, world, world.begin())
    if max(world.server.paid.values(), default=0) > 1:
        yield "paid twice"
    if again in FINISHED or getattr(again, "status_code", None) == 400:
        return
    # A refresh token whose answer was lost is spent, and a reply that may have arrived is not given again.
    kept = world.store.load()
    is_spent = kept is None or kept.refresh_token != world.server.refresh_token
    may_have_arrived = isinstance(end, Stop) or any(one.left for one in runner.sent if one.path in SENDS)
    if not is_spent and not (story.before is not None and may_have_arrived):
        yield f"cannot be finished: {again}"


def find_faults(world: World, runner: Cutter, end: Any) -> Iterator[str]:
    """Yield which rules what came of a story breaks."""
    ours = next((one.task_id for one in runner.sent if one.task_id), "")
    sent = [one for one in runner.sent if one.path in SENDS and one.task_id == ours]
    left = [
        number
        for number, one in enumerate(runner.sent)
        if one.path in SENDS and one.task_id == ours and one.left
    ]
    for number, following in pairwise(left):
        looks = [
            one.came.content for one in runner.sent[number:following] if one.path == GET_PATH and one.came
        ]
        if not any(b"-32001" in look for look in looks):
            yield "sent twice without a look that found nothing"
    refused = [one for one in sent if one.came is not None and one.came.status_code == 400]
    states = [state for task_id, state in runner.seen if task_id == ours]
    said = str(end) + str(getattr(getattr(end, "partial", None), "state", ""))
    if isinstance(end, PaymanError):
        if end.sent is False and len(left) > len(refused):
            yield "says that nothing was sent"
        if end.sent is True and sent and len(left) == len(refused):
            yield "says that it was sent"
    if world.payment is not None and end is PaymentOutcome.UNDETERMINED:
        yield "was paid"
    if isinstance(end, Exception) and left and states and states[-1] not in said:
        yield f"was {states[-1]}"
    if isinstance(end, Stop) and left:
        notes = getattr(end, "__notes__", [])
        if getattr(end, "task_id", None) != ours or ["was sent" in note for note in notes] != [True]:
            yield f"is not described: {notes}"
    counts, pairs = world.reports.counts, {"begin": "end", "attempt": "answer", "refresh": "refresh_end"}
    if not counts["record_attempt"] and sent:
        yield f"telemetry without attempts: {counts}"
    if any(counts[f"record_{begin}"] != counts[f"record_{end}"] for begin, end in pairs.items()):
        yield f"telemetry: {counts}"
    finals = [change.is_final for change in world.changes]
    if sum(finals) > 1 or True in finals[:-1]:
        yield f"on_task: {world.changes}"
    tokens = [token for what, token in runner.seen if what == "token"]
    runner.at, runner.outage = 0, ""
    runner.run(world.tokens.flush())
    kept = world.store.load()
    if tokens and (kept is None or kept.refresh_token != tokens[-1]):
        yield "a refresh token is lost"


def test_a_limit_in_any_step_loses_nothing() -> None:
    """And a second try, with the same key or the same operation, finishes what the first began, once; `--fast` takes a third of the cuts."""
    wrong: list[Any] = []
    settings: Any = {"base_url": PERSON.base_url, "timeout": SECONDS, "settle_time": LAG + 1}
    with PaymanClient(client_id="pm-test-1", client_secret="s", **settings) as client:
        for name, story in STORIES.items():
            world, runner = begin(client, story)
            run(story, world, runner)
            cuts = [(at, how) for at, kind in enumerate(runner.kinds, 1) for how in HOWS.get(kind, ())]
            assert len(cuts) > 20
            for at, how in sample(cuts):
                world, runner = begin(client, story, at, how)
                end = run(story, world, runner)
                faults = [*find_faults(world, runner, end), *try_again(story, world, runner, end)]
                wrong += [(name, at, runner.kinds[at - 1].__name__, how, end, fault) for fault in faults]
    assert wrong == []
