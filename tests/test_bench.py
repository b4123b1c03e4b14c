from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.benchmarks import processes, sides
from scripts.benchmarks.__main__ import BEGIN, END, capture_target, describe_machine
from scripts.benchmarks.measurement import (
    NOT_INSTALLED,
    Aim,
    Measured,
    Row,
    Side,
    Spread,
    build_rows,
    compute_median,
    compute_ratio,
    format_aims,
    format_row,
    format_table,
    judge,
    measure_row,
)
from scripts.benchmarks.peers import PEERS
from scripts.benchmarks.processes import SideFailedError, build_import, build_program, run_program
from scripts.benchmarks.server import answer, run_server
from scripts.benchmarks.sides import Reading
from scripts.documentation.marks import replace_between
from tests.environments import with_lent

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
HOSTILE = 'a|b `c` <script>&"\n# d'


def readings(*seconds: float) -> list[Reading]:
    return [Reading(1, seconds=each, size=round(each)) for each in seconds]


def a_row(*labels: str, **more: object) -> Row:
    columns = {"s": lambda reading: reading.seconds, "B": lambda reading: reading.size}
    sides = [Side(label, "httpx", "ask", {"calls": 2}, 2) for label in labels]
    return Row("row", "A row", columns, sides)._replace(**more)  # type: ignore[arg-type]  # the tests name what they change


def test_a_ratio_is_that_of_the_medians_and_spreads_as_the_rounds_do() -> None:
    """Three rounds of 2, 3 and 10 against 1, 2 and 2 are 1.5 times as much, and in a round 1.5 to 5 times."""
    assert compute_ratio([2, 3, 10], [1, 2, 2]) == Spread(1.5, 1.5, 5)
    # What was not measured, or came to nothing, is no baseline.
    assert [compute_ratio([], [1.0]), compute_ratio([1.0], []), compute_ratio([1.0], [0.0])] == [None] * 3


def test_a_figure_is_shown_with_its_spread() -> None:
    """Digits follow the size; rounds that do not differ have no spread."""
    shown = {
        (2, 3, 10): "3.00 (2.00–10.00)",
        (20, 30): "25.0 (20.0–30.0)",
        (1000, 4000): "2,500 (1,000–4,000)",
    }
    assert {values: str(compute_median(values)) for values in shown} == shown
    assert str(compute_median([1.5])) == "1.50"


def test_an_aim_is_met_to_the_point() -> None:
    """The median counts against the other's; without one of them no aim is met or missed."""
    times = {"mine": readings(11.9, 12.0, 99.0), "other": readings(10.0), "fast": readings(5.0)}
    measured = Measured(a_row(), times, {})
    rows = [
        (Aim("", "mine", "other", 1.2), "met"),
        (Aim("", "mine", "other", 1.1), "missed"),
        (Aim("", "mine", "other", 1.0, plus=2.0), "met"),
        (Aim("", "mine", "other", 1.0, plus=1.9), "missed"),
        (Aim("", "mine", "other", 1.2, at_least=True), "met"),
        (Aim("", "mine", "other", 1.3, at_least=True), "missed"),
        (Aim("", "mine", "fast", 2.0), "missed"),
        (Aim("", "mine", "other", 1.2, column="B"), "met"),
        (Aim("", "mine", "other", 1.1, column="B"), "missed"),
        (Aim("", "mine", "unknown", 9.0), "not measured"),
        (Aim("", "unknown", "other", 9.0), "not measured"),
    ]
    assert [(aim, judge(aim, measured)[-1]) for aim, _ in rows] == rows


def test_a_miss_is_shown_as_a_miss() -> None:
    """The table of the aims says met, missed or not measured, and with what the side was compared."""
    aims = (
        Aim("half", "ours", "theirs", 0.5),
        Aim("twice", "ours", "theirs", 2.0),
        Aim("no", "nobody", "ours"),
    )
    row = a_row("ours", "theirs", aims=aims)
    shown = format_aims([Measured(row, {"ours": readings(3.0), "theirs": readings(2.0)}, {})])
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in shown.splitlines()[4:]]
    assert [line[-1] for line in lines] == ["missed", "met", "not measured"]
    assert lines[0][-2] == "theirs: 2.00 s; 1.50 times"


def test_a_side_that_failed_is_shown_and_not_left_out() -> None:
    """It keeps its line, and the note says why there is no figure."""
    failures = {"gone": NOT_INSTALLED, "bad": "of 2 it gave 1"}
    row = a_row("gone", "bad", "good", baseline="good", note="A note.")
    shown = format_row(Measured(row, {"good": readings(1.0)}, failures))
    lines = [re.sub(" +", " ", line) for line in shown.splitlines() if line.startswith("|")][2:]
    assert lines == [
        "| gone | not measured | | |",
        "| bad | not measured | | |",
        "| good | 1.00 | 1.00 | 1.0 |",
    ]
    assert shown.endswith("A note. gone: not installed. bad: of 2 it gave 1.\n")


def test_markdown_stays_a_table_whatever_it_holds() -> None:
    """No name ends its cell, its line or its table, nor becomes a tag or code."""
    shown = format_table(HOSTILE, ("", HOSTILE), [(HOSTILE, HOSTILE), ("short",)], HOSTILE)
    drawn = [line for line in shown.splitlines() if line.startswith("|")]
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in drawn] == [3, 3, 3, 3]
    assert "<" not in shown
    assert not re.search(r"(?<!\\)`|^#", shown, re.MULTILINE)


def test_nothing_measured_gives_empty_tables() -> None:
    """No side, no round and no row: every table is still one."""
    assert len(format_aims([]).splitlines()) == 4
    for row in (a_row(), a_row("side", baseline="side")):
        assert format_aims([Measured(row, {}, {})]) == format_aims([])
        assert format_row(Measured(row, {}, {})).count("| side |") == len(row.sides)


def test_the_page_keeps_what_people_wrote() -> None:
    """Only what is between the markers is replaced; a page without them is refused."""
    page = f"# Before\n\n{BEGIN}\nold\n{END}\n\nAfter.\n"
    assert replace_between(page, BEGIN, END, "\nnew\n") == f"# Before\n\n{BEGIN}\n\nnew\n\n{END}\n\nAfter.\n"
    with pytest.raises(ValueError, match="no lines"):
        replace_between("# Before", BEGIN, END, "new")
    docs = (Path(__file__).parents[1] / "docs" / "performance.md").read_text("utf-8")
    assert f"{BEGIN}\n\nnew\n\n{END}" in replace_between(docs, BEGIN, END, "\nnew\n")


def test_the_description_of_a_run_names_each_peer_with_its_version() -> None:
    """The versions are those of the locks."""
    described = describe_machine(1.0)
    for peer in PEERS:
        assert (re.search(rf"[;,] {peer.name} \d+\.\d+\.\d+[,.]", described) is not None) == bool(peer.pins)


@pytest.mark.parametrize("quick", [True, False])
def test_every_row_names_peers_and_sides_that_there_are(quick: bool) -> None:
    """A side has a known peer, and what a row or an aim compares with is one of its sides, under a unique name."""
    for row in build_rows(quick=quick):
        labels = [side.label for side in row.sides]
        assert len(set(labels)) == len(labels)
        assert {side.peer for side in row.sides} <= {peer.name for peer in PEERS}
        assert {row.baseline} | {name for aim in row.aims for name in (aim.mine, aim.of)} <= set(labels)
        assert {aim.column for aim in row.aims} - {""} <= set(row.columns)
        assert all(hasattr(sides, side.does) for side in row.sides if row.how == "program")
    assert {peer.client for peer in PEERS} == sides.BUILDERS.keys()


def test_sides_take_turns_and_one_that_fails_does_not_stop_the_others(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What is not installed, ends with an error or does less than it should has no figure; the others have every round."""
    sides = (
        Side("httpx", "httpx", "ask", {"calls": 2}, 2),
        Side("less", "httpx", "ask", {"calls": 2}, 3),
        Side("unknown", "httpx", "no such side"),
        Side("gone", "openai", "ask"),
    )
    # With what httpx needs and no more: it imports whatever there is of its extras.
    environments = {"httpx": str(with_lent(tmp_path / "httpx", ["httpx"]))}
    with run_server() as base_url:
        measured = measure_row(a_row(rounds=2, sides=sides), environments, capture_target(base_url))
    assert measured.failures == {
        "less": "of 3 it gave 2",
        "unknown": "its program failed; see above",
        "gone": NOT_INSTALLED,
    }
    assert "KeyError: 'no such side'" in capfd.readouterr().err
    [(label, rounds)] = measured.readings.items()
    assert (label, [reading.count for reading in rounds]) == ("httpx", [2, 2])
    assert all(min(one.busy, one.seconds) > 0 and one.size > 2**20 for one in rounds)


def test_a_program_is_timed_from_outside_and_an_import_from_inside() -> None:
    """An import's seconds leave out the start of the interpreter; a program that fails has no reading."""
    whole = run_program(sys.executable, build_program("import colorsys"))
    inside = run_program(sys.executable, build_import("import colorsys"))
    assert 0 < inside.seconds < whole.seconds
    assert 0 < inside.busy < whole.busy
    assert (whole.count, inside.count) == (1, 1)
    assert min(whole.size, inside.size) > 2**20
    with pytest.raises(SideFailedError):
        run_program(sys.executable, build_program("raise SystemExit(1)"))


class Wire(asyncio.StreamWriter):
    """The server's side of a connection: keeps what is written to it, and how many writes there were at each wait."""

    def __init__(self) -> None:
        self.written, self.writes, self.waits = bytearray(), 0, list[int]()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data
        self.writes += 1

    async def drain(self) -> None:
        self.waits.append(self.writes)

    def close(self) -> None:
        self.is_closed = True

    def __del__(self) -> None: ...


def request_of(path: str, body: str) -> bytes:
    return f"POST {path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def answers(*requests: bytes) -> bytes:
    return bytes(wire_of(*requests).written)


def wire_of(*received: bytes) -> Wire:
    async def main() -> Wire:
        reader, wire = asyncio.StreamReader(), Wire()
        answering = asyncio.create_task(answer(reader, wire))
        for data in received:
            reader.feed_data(data)
            await asyncio.sleep(0)
        reader.feed_eof()
        await answering
        return wire

    return asyncio.run(main())


def test_a_stream_has_as_many_events_as_were_asked_for_and_the_ids_of_the_ask() -> None:
    request, task = b"req-" + b"1" * 36, b"tsk-" + b"2" * 36
    for events in (3, 4, 1003, 2500):
        body = b'{"id":"%b","params":{"id":"%b","text":"task %d"}}' % (request, task, events)
        sent = request_of("/stream", body.decode())
        sent_back = answers(sent[:20], sent[20:])
        assert sent_back.count(b"data: ") == sent_back.count(request) == sent_back.count(task) == events
        assert b"0000-0000-000000000000" not in re.sub(rb'"(?:agent|org)Id":"[^"]*"', b"", sent_back)


def test_an_answer_has_the_ids_of_its_ask_and_its_length() -> None:
    """An ask without ids gets an answer that is as long."""
    request, task = "req-" + "1" * 36, "tsk-" + "2" * 36
    for body in (f'{{"id":"{request}","params":{{"id":"{task}"}}}}', "{}"):
        head, _, sent_back = answers(request_of("/ask", body)).partition(b"\r\n\r\n")
        assert f"Content-Length: {len(sent_back)}".encode() in head
        read = json.loads(sent_back)
        assert ((read["id"], read["result"]["id"]) == (request, task)) == (request in body)


def test_the_server_waits_for_a_slow_reader() -> None:
    """It writes no further block while the reader is behind, and then goes on where it was; a connection has many requests."""
    request = request_of("/stream", '{"text":"task 2500"}')
    wire = wire_of(request + request)
    assert wire.waits == [*range(1, wire.writes + 1)]
    assert wire.writes > 6
    assert wire.written.count(b"data: ") == 5000
    assert wire.written.endswith(b"0\r\n\r\n")
    assert wire.is_closed


PYTHON = """#!/bin/sh
echo "$@" >> said
case "$*" in
  *" venv "*) for place; do true; done; rm -rf "$place"; mkdir -p "$place/bin" ;;
  *" wheel "*) mkdir -p .bench/wheel; $NO_WHEEL > .bench/wheel/sdk.whl ;;
  *".peers") printf '%s\\n' "ours pyproject.toml" "openai openai==1" "httpx httpx==2" ;;
  *" install "*) exit 1 ;;
  --version) ;;
  *) ls -d .bench/*/made-from > installed ;;
esac
"""
UV = """#!/bin/sh
echo uv "$@" >> said
case "$*" in *"$UNKNOWN"*) echo "ERROR: no index" >&2; exit 1 ;; esac
"""


class Clone:
    """A clone in which programs are imitated: what they were called with, and which peers were installed in the end."""

    def __init__(self, root: Path) -> None:
        self.root, programs = root, root / ".venv" / "bin"
        programs.mkdir(parents=True)
        (root / "scripts").mkdir()
        for path, text in {
            programs / "python": PYTHON,
            programs / "uv": UV,
            root / "scripts" / "bootstrap": "#!/bin/sh\n",
        }.items():
            path.write_text(text)
            path.chmod(0o755)
        for name in ("bench", "environments.sh"):
            shutil.copy(ROOT / "scripts" / name, root / "scripts" / name)
        locks = root / "scripts" / "benchmarks" / "locks"
        locks.mkdir(parents=True)
        for name in ("ours", "openai", "httpx"):
            (locks / f"{name}.lock").write_text(f"{name}==1\n")

    def run(self, unknown: str = "nothing", no_wheel: str = "echo") -> tuple[list[str], list[str], str]:
        (self.root / "said").unlink(missing_ok=True)
        command = ["bash", "scripts/bench", "--quick"]
        environment = {**os.environ, "UNKNOWN": unknown, "NO_WHEEL": no_wheel}
        done = subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, check=True, timeout=60
        )
        said = (self.root / "said").read_text().splitlines()
        assert said[-1] == "-m scripts.benchmarks --quick"
        installed = (self.root / "installed").read_text().split()
        return [line for line in said if " install " in line], installed, done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="programs are imitated by shell scripts")
def test_an_environment_is_made_once_and_gets_the_checkout_each_time(tmp_path: Path) -> None:
    """A new environment gets what its lock holds, by hashes; the SDK itself is installed as it is now, without an index."""
    clone, options = Clone(tmp_path), "--require-hashes --no-deps --only-binary :all:"
    locks = {
        name: f"uv pip install --python .bench/{name} --quiet {options} -r scripts/benchmarks/locks/{name}.lock"
        for name in ("ours", "openai", "httpx")
    }
    checkout = "uv pip install --quiet --python .bench/ours --no-deps --no-index --force-reinstall .bench/wheel/sdk.whl"
    everybody = [f".bench/{name}/made-from" for name in ("httpx", "openai", "ours")]
    assert clone.run() == ([locks["ours"], checkout, locks["openai"], locks["httpx"]], everybody, "")
    assert clone.run() == ([checkout], everybody, "")
    (tmp_path / "scripts/benchmarks/locks/openai.lock").write_text("openai==2\n")
    assert clone.run() == ([checkout, locks["openai"]], everybody, "")


@pytest.mark.skipif(sys.platform == "win32", reason="programs are imitated by shell scripts")
def test_a_peer_that_cannot_be_had_is_left_out_with_the_reason(tmp_path: Path) -> None:
    """Neither a checkout that cannot be built nor a peer without a package index keeps the others from a run."""
    clone = Clone(tmp_path)
    tried, installed, said = clone.run(unknown="openai.lock")
    assert installed == [".bench/httpx/made-from", ".bench/ours/made-from"]
    assert "ERROR: no index\nscripts/bench: openai is not installed.\n" in said
    assert sum("openai.lock" in line for line in tried) == 2  # by uv, and then by pip
    _, installed, said = clone.run(unknown=".whl", no_wheel="false")
    assert installed == [".bench/httpx/made-from", ".bench/openai/made-from"]
    assert "scripts/bench: the checkout cannot be built.\n" in said
    assert "scripts/bench: the checkout is not installed as ours.\n" in said


def test_the_environments_that_were_made_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unfinished one is left out."""
    monkeypatch.setattr(processes, "HOME", tmp_path)
    for name in ("httpx", "openai"):
        (tmp_path / name).mkdir()
    (tmp_path / "httpx" / "made-from").touch()
    assert processes.find_environments() == {"httpx": str(tmp_path / "httpx" / "bin" / "python")}
