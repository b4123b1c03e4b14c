from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import pytest

from scripts.benchmarks import canned, environment
from scripts.benchmarks.bench import NOT_INSTALLED, Bench, Measured
from scripts.benchmarks.environment import Environment
from scripts.benchmarks.judging import Aim, Spread, judge, ratio
from scripts.benchmarks.page import BEGIN, END, rewritten
from scripts.benchmarks.peers import PEERS, Peer
from scripts.benchmarks.plot import svg
from scripts.benchmarks.report import Table, aims, as_json, table
from scripts.benchmarks.row import How, Row, Side
from scripts.benchmarks.rows import rows
from scripts.benchmarks.server import CannedAnswers, Counts
from scripts.benchmarks.sides import Reading, Sent, Target

pytestmark = pytest.mark.slow


HOSTILE = 'a|b `c` <script>&"\n# d'


def readings(*seconds: float) -> list[Reading]:
    return [Reading(1, seconds=each) for each in seconds]


def a_row(*labels: str, **more: object) -> Row:
    given = {
        "name": "row",
        "title": "A row",
        "unit": "s",
        "value": lambda reading: reading.seconds,
        "sides": tuple(Side(label, "floor") for label in labels),
        "drawn": True,
    }
    return Row(**{**given, **more})  # type: ignore[arg-type]  # the tests name what they change


def drawn(*measured: Measured) -> ElementTree.Element:
    return ElementTree.fromstring(svg(measured))  # noqa: S314 (it was written just here)


def test_a_ratio_is_that_of_the_medians_and_spreads_as_the_rounds_do() -> None:
    """Three rounds of 2, 3 and 10 against 1, 2 and 2 are 1.5 times as much, and in a round 1.5 to 5 times."""
    assert ratio([2, 3, 10], [1, 2, 2]) == Spread(1.5, 1.5, 5)


@pytest.mark.parametrize(("measured", "measure"), [([], [1.0]), ([1.0], []), ([1.0], [0.0])])
def test_there_is_no_ratio_to_nothing(measured: list[float], measure: list[float]) -> None:
    """What was not measured, or came to nothing, is no measure."""
    assert ratio(measured, measure) is None


@pytest.mark.parametrize(
    ("aim", "is_met"),
    [
        (Aim(says="", mine="mine", of=("other",), times=1.2), True),
        (Aim(says="", mine="mine", of=("other",), times=1.1), False),
        (Aim(says="", mine="mine", of=("other",), times=1.0, plus=2.0), True),
        (Aim(says="", mine="mine", of=("other",), times=1.0, plus=1.9), False),
        (Aim(says="", mine="mine", of=("other",), times=1.2, at_least=True), True),
        (Aim(says="", mine="mine", of=("other",), times=1.3, at_least=True), False),
        (Aim(says="", mine="mine", of=("other", "slow"), times=1.2), True),
        (Aim(says="", mine="mine", of=("fast", "other", "slow"), times=1.0), False),
        (Aim(says="", mine="mine", of=("other", "slow"), times=1.0, at_least=True), False),
        (Aim(says="", mine="mine", plus=12.0), True),
        (Aim(says="", mine="mine", plus=11.9), False),
        (Aim(says="", mine="mine", of=("other", "unknown"), times=9.0), None),
        (Aim(says="", mine="unknown", of=("other",), times=9.0), None),
    ],
)
def test_an_aim_is_met_to_the_point(aim: Aim, is_met: bool | None) -> None:
    """The median of one's own counts against each of the others; without one of them nothing is said."""
    measured = {
        "mine": readings(11.9, 12.0, 99.0),
        "other": readings(10.0),
        "slow": readings(20.0),
        "fast": readings(5.0),
    }
    assert judge(aim, measured, lambda reading: reading.seconds, "s").is_met is is_met


def test_a_miss_is_shown_as_a_miss() -> None:
    """The table of the aims says met, missed or not measured, and with what the side was compared."""
    row = a_row(
        "ours",
        "theirs",
        aims=(
            Aim(says="half", mine="ours", of=("theirs",), times=0.5),
            Aim(says="twice", mine="ours", of=("theirs",), times=2.0),
            Aim(says="no", mine="nobody", plus=1.0),
        ),
    )
    shown = aims([Measured(row, {"ours": readings(3.0), "theirs": readings(2.0)})])
    assert [line[-1] for line in shown.lines] == ["missed", "met", "not measured"]
    assert "theirs: 2 s; 1.50 (1.50–1.50) times" in shown.lines[0]


def test_a_side_that_failed_is_told_and_not_left_out() -> None:
    """It keeps its line, and the note says why there is no figure."""
    failures = {"gone": f"{NOT_INSTALLED}: no index", "bad": "ValueError: it said no"}
    shown = table(Measured(a_row("gone", "bad", "good"), {"good": readings(1.0)}, failures))
    assert [line[:2] for line in shown.lines] == [
        ["gone", "not installed"],
        ["bad", "not measured"],
        ["good", "1"],
    ]
    assert "gone: not installed: no index." in shown.note
    assert "bad: ValueError: it said no." in shown.note


def test_markdown_stays_a_table_whatever_it_holds() -> None:
    """No name ends its cell, its line or its table, nor becomes a tag or code."""
    told = Table(HOSTILE, ("", HOSTILE), [(HOSTILE, HOSTILE), ("short",)], HOSTILE).markdown()
    drawn = [line for line in told.splitlines() if line.startswith("|")]
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in drawn] == [3, 3, 3, 3]
    assert "<" not in told
    assert not re.search(r"(?<!\\)`|^#", told, re.MULTILINE)


def test_the_picture_is_one_whatever_it_shows() -> None:
    """It is well-formed, says in words what it shows, and draws no bar longer than there is room for, nor a negative one."""
    row = a_row(HOSTILE, "nothing", "little", "much", title=HOSTILE)
    values = {HOSTILE: 1.0, "nothing": 0.0, "little": 1e-9, "much": 1e12, "unmeasured": None}
    measured = Measured(
        row, {name: [] if value is None else readings(value) for name, value in values.items()}
    )
    picture = drawn(measured)
    space = "{http://www.w3.org/2000/svg}"
    widths = [float(bar.attrib["width"]) for bar in picture.iter(f"{space}rect")]
    assert len(widths) == 1 + 4
    assert all(0 <= width <= 800 for width in widths)
    assert "much 1,000,000,000,000" in (picture.findtext(f"{space}desc") or "")
    assert picture.attrib["role"] == "img"


def test_nothing_measured_gives_empty_reports() -> None:
    """No side, no round and no row: every report is still one."""
    for measured in ([], [Measured(a_row())], [Measured(a_row("side", measure="side"))]):
        assert drawn(*measured).tag.endswith("svg")
        assert json.loads(as_json(measured, {}, {}))["environments"] == {}
        assert aims(measured).lines == []
        assert all(table(each).markdown() for each in measured)


def test_json_has_every_round() -> None:
    """Each reading is told as it was measured, beside the versions of the environment it was measured in."""
    measured = Measured(a_row("side"), {"side": readings(1.0, 2.0)}, {HOSTILE: "why"})
    told = json.loads(
        as_json([measured], {"cores": 2}, {"floor": Environment("python", "", {"h11": "1"}, 7)})
    )
    assert [each["seconds"] for each in told["rows"][0]["sides"]["side"]["readings"]] == [1.0, 2.0]
    assert told["rows"][0]["failures"] == {HOSTILE: "why"}
    assert told["environments"]["floor"]["distributions"] == {"h11": "1"}


def test_the_page_keeps_what_people_wrote() -> None:
    """Only what is between the markers is replaced; a page without them is refused."""
    page = f"# Before\n\n{BEGIN}\nold\n{END}\n\nAfter.\n"
    assert rewritten(page, "new\n") == f"# Before\n\n{BEGIN}\n\nnew\n\n{END}\n\nAfter.\n"
    with pytest.raises(ValueError, match="no lines"):
        rewritten("# Before", "new")


def test_sides_take_turns_and_one_that_fails_does_not_stop_the_others() -> None:
    """What is not installed is left after its first turn; the others have every round."""
    environments = {
        "floor": Environment("python", "", {"a": "1", "b": "2"}, 10),
        "httpx": Environment(None, "no index"),
    }
    row = a_row(how=How.INSTALLED, rounds=3, sides=(Side("there", "floor"), Side("gone", "httpx")))
    nothing = Sent("/", {}, "")
    with Bench(environments, Target("http://127.0.0.1:1", nothing, nothing, nothing)) as bench:
        measured = bench.measure(row)
    assert [reading.count for reading in measured.readings["there"]] == [2, 2, 2]
    assert measured.failures == {"gone": f"{NOT_INSTALLED}: no index"}


@pytest.mark.parametrize("quick", [True, False])
def test_every_row_names_peers_and_sides_that_there_are(quick: bool) -> None:
    """A side has a known peer, and what a row or an aim compares with is one of its sides, under a name of its own."""
    peers = {peer.name for peer in PEERS}
    for row in rows(quick=quick):
        labels = [side.label for side in row.sides]
        assert len(set(labels)) == len(labels)
        assert {side.peer for side in row.sides} <= peers
        compared = {row.measure, *(side.measure for side in row.sides)} - {""}
        named = {name for aim in row.aims for name in (aim.mine, *aim.of)}
        assert compared | named <= set(labels)


@dataclass
class Wire(asyncio.Transport):
    """A connection that keeps what is written to it."""

    written: bytearray = field(default_factory=bytearray)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data


def answers(*requests: bytes, counts: Counts | None = None) -> bytes:
    wire, server = Wire(), CannedAnswers(counts or Counts())
    server.connection_made(wire)
    for request in requests:
        server.data_received(request)
    return bytes(wire.written)


@pytest.mark.parametrize("kind", ["task", "brief", "numbered"])
def test_a_stream_has_as_many_events_as_were_asked_for_and_the_ids_of_the_ask(kind: str) -> None:
    """Whoever heeds ids and whoever counts events gets the same bytes, however many events there are."""
    request, task = b"req-" + b"1" * 36, b"tsk-" + b"2" * 36
    body = b'{"id":"%b","params":{"id":"%b","text":"%b 2500"}}' % (request, task, kind.encode())
    sent = Sent("/stream", {}, body.decode()).encoded()
    told = answers(sent[:20], sent[20:])
    assert told.count(b"data: ") == told.count(request) == told.count(task) == 2500
    assert canned.TASK_ID.encode() not in told


def test_the_server_counts_token_requests_and_lets_the_first_token_of_a_client_expire() -> None:
    """A client id that begins with `expiring` gets a token of a second, and then such as last."""
    counts = Counts()
    basic = {"Authorization": "Basic ZXhwaXJpbmctMTpz"}  # expiring-1:s
    request = Sent("/api/oauth2/token?grant_type=client_credentials", basic, "").encoded()
    first, second = answers(request, counts=counts), answers(request, counts=counts)
    assert b'"expiresIn":1,' in first
    assert b'"expiresIn":3600,' in second
    assert json.loads(str(counts))["tokens"] == 2


def test_the_checkout_is_installed_into_a_new_environment_and_into_one_that_is_out_of_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new environment gets what the SDK needs and the SDK itself; one that is there gets the SDK again when it has changed."""
    installed: list[list[str]] = []
    wheel = tmp_path / "sdk.whl"
    monkeypatch.setattr(environment, "HOME", tmp_path)
    monkeypatch.setattr(environment, "_pip", lambda _, arguments, __: installed.append(list(arguments)))
    ours = Peer("ours", extras="")
    for content in (b"one", b"one", b"two"):
        wheel.write_bytes(content)
        environment._environment(ours, wheel, 60)
    assert [arguments[-1] == str(wheel) for arguments in installed] == [False, True, True]
