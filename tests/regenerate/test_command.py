from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.regeneration import folders, generator, reading, work
from scripts.regeneration.reading import Limits
from tests.peer import Peer, Request, answer, chunked
from tests.regenerate.conftest import DOCUMENT, ROOT, Regenerate, everything

Changed = Callable[[Callable[[Any], None]], Path]
FIELD = "        acceptedOutputModes:\n"


def colour(document: Any) -> None:
    document["components"]["schemas"]["TaskSendParams"]["properties"]["colour"] = {"type": "string"}


def edit(copy: Path, name: str, old: str, new: str) -> None:
    path = copy / "spec" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def add_colour(copy: Path) -> None:
    edit(copy, "payman.openapi.yaml", FIELD, "        colour:\n          type: string\n" + FIELD)


def git(copy: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]
    subprocess.run(["git", "-C", str(copy), *identity, *arguments], check=True, capture_output=True)


# --- a document that is given ---------------------------------------------------------------------------------------


def test_the_report_is_what_is_printed(copy: Path, changed: Changed, regenerate: Regenerate) -> None:
    """The Markdown file tells, in chapters, what was printed."""
    report = copy.parent / "report.md"
    run = regenerate("--from", changed(colour), "--report", report)
    assert (run.status, run.err) == (0, "")
    text = report.read_text()
    assert re.findall("^#+ .*", text, re.MULTILINE) == [
        "# What regenerating the client changes",
        "## The API",
        "### Additive",
        "## Names of `payman_api`",
        "## What `payman_sdk` has to adapt",
        "## Version",
        "## For CHANGELOG.md",
        "### Added",
        "## Files",
    ]
    assert "- added: `payman_api.models.TaskSendParams.colour`" in text
    assert "Every line of payman_sdk still type-checks." in text
    assert "- changed: `generated/payman_api/models/task_send_params.py`" in text

    again = regenerate("--from", copy / DOCUMENT, "--report", report)
    assert (again.status, again.out, again.err) == (0, "", "")
    assert report.read_text() == "# What regenerating the client changes\n\nNothing.\n"


def test_a_document_may_come_from_a_server_and_be_json(
    bare: Path, regenerate: Regenerate, peer: Peer
) -> None:
    """JSON becomes YAML, which gives the same client."""
    document = yaml.safe_load((bare / DOCUMENT).read_text())
    peer.always("/api.json", answer(body=json.dumps(document)))
    run = regenerate("--from", f"{peer.base_url}/api.json?key=secret")
    assert (run.status, run.err) == (0, "")
    assert run.out.startswith("changed spec/payman.openapi.yaml\n\nThe API:\n  the same as before\n")
    assert yaml.safe_load((bare / DOCUMENT).read_text()) == document
    assert regenerate("--check").status == 0


def test_a_file_is_named_from_where_the_caller_is(bare: Path, changed: Changed) -> None:
    """The script itself can be run from anywhere; what it is given is looked for there. A check changes nothing."""
    new = changed(colour)
    before = everything(bare)
    done = subprocess.run(
        [
            ROOT / "scripts" / "regenerate",
            "--root",
            bare,
            "--check",
            "--from",
            new.name,
            "--report",
            "report.md",
        ],
        cwd=new.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "TaskSendParams.colour" in done.stdout
    assert (new.parent / "report.md").exists()
    assert everything(bare) == before


# --- what a change is a change of -----------------------------------------------------------------------------------


def test_an_edit_is_compared_with_what_was_committed(bare: Path, regenerate: Regenerate) -> None:
    """Whether the edit is committed already or not, it is compared with what the client was made from."""
    git(bare, "init", "--quiet")
    git(bare, "add", "spec", "generated")
    git(bare, "commit", "--quiet", "--message", "First")
    add_colour(bare)
    told = regenerate("--check", "--report", bare / "report.md").section("The API:")
    assert [line.partition("`")[2] for line in told] == [
        "TaskSendParams.colour` was added and is optional (in requests). Reaches send_task, send_task_subscribe."
    ]
    git(bare, "commit", "--quiet", "--all", "--message", "Second")
    assert regenerate().section("The API:") == told


def test_without_git_the_names_are_told(bare: Path, regenerate: Regenerate) -> None:
    """What has changed in the API cannot be told; which names and files did, can."""
    add_colour(bare)
    run = regenerate()
    assert (run.status, run.err) == (0, "")
    assert "What has changed in the API cannot be told" in run.out
    assert run.section("Names of payman_api:") == ["added     payman_api.models.TaskSendParams.colour"]
    assert "Version:" not in run.out


def test_a_changed_template_is_no_change_of_the_api(bare: Path, regenerate: Regenerate) -> None:
    """The templates that were committed give the client that was there, so the document is known to be the same."""
    git(bare, "init", "--quiet")
    git(bare, "add", "spec", "generated")
    git(bare, "commit", "--quiet", "--message", "First")
    edit(bare, "templates/errors.py.jinja", "class UnexpectedStatus", "class StrangeStatus")
    run = regenerate("--check", "--report", bare / "report.md")
    assert run.section("The API:") == ["the same as before"]
    assert "removed   payman_api.errors.UnexpectedStatus" in run.out


# --- what cannot be done --------------------------------------------------------------------------------------------


def slowly() -> Iterator[bytes]:
    for _ in range(100):
        time.sleep(0.05)
        yield b"openapi: 3.1.0 # and so on\n"


def billions(_: Request) -> Iterator[bytes]:
    lines = ["a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    lines += [
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]"
        for before, name in zip("abcdefg", "bcdefgh", strict=True)
    ]
    yield from answer(body="\n".join(lines))(_)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/missing", "/missing cannot be read: it answers 404."),
        ("/page", "/page cannot be read: it is a web page, not an API document."),
        ("/large", "/large cannot be read: it sends more than 100,000 bytes."),
        ("/never", "/never cannot be read: it said nothing for 0.4 seconds."),
        ("/slow", "/slow cannot be read: after 1 seconds it was still sending."),
        ("/loop", "/loop cannot be read: Exceeded maximum allowed redirects."),
        ("/file", "/file cannot be read: Request URL has an unsupported protocol 'file://'."),
        ("/corrupt", "/corrupt cannot be read: while parsing"),
        ("/twice", "the key 'openapi' comes twice"),
        ("/binary", "/binary cannot be read: 'utf-8' codec can't decode"),
        ("/billions", "/billions cannot be read: it holds more than 500,000 values."),
        ("/deep", "/deep cannot be read: its objects and lists are more than 100 deep"),
        ("/list", "/list is not an OpenAPI document: a mapping is expected."),
        ("/empty", "/empty is not valid OpenAPI"),
        (
            "/elsewhere",
            "/elsewhere refers to http://127.0.0.1:1/x; only references within a document are followed.",
        ),
    ],
)
def test_an_address_that_gives_no_document(
    copy: Path, regenerate: Regenerate, peer: Peer, monkeypatch: pytest.MonkeyPatch, path: str, said: str
) -> None:
    """Whatever it gives instead is said, soon, and everything stays as it was; what is secret in the address is not told."""
    monkeypatch.setattr(reading, "LIMITS", Limits(size=100_000, silence=0.4, duration=1))
    peer.always("/missing", answer(404))
    peer.always("/page", answer(body="<!doctype html><title>Log in</title>", media_type="text/html"))
    peer.always("/large", answer(body=b"#" * 100_001))
    peer.always("/never", peer.never)
    peer.always("/slow", chunked(slowly))
    peer.always("/loop", answer(302, location="/loop"))
    peer.always("/file", answer(302, location="file:///etc/passwd"))
    peer.always("/corrupt", answer(body="openapi: [3.1.0\ninfo:"))
    peer.always("/twice", answer(body="openapi: 3.1.0\ninfo: {}\nopenapi: 3.0.0\n"))
    peer.always("/binary", answer(body=b"\xff\xfe\xfd"))
    peer.always("/billions", billions)
    peer.always("/deep", answer(body="[" * 90_000))
    peer.always("/list", answer(body="[]"))
    peer.always("/empty", answer(body="{}"))
    peer.always(
        "/elsewhere", answer(body='{"openapi": "3.1.0", "paths": {"/a": {"$ref": "http://127.0.0.1:1/x"}}}')
    )
    before = everything(copy)
    run = regenerate("--from", peer.base_url.replace("//", "//user:word@") + f"{path}?key=word")
    assert (run.status, run.out) == (2, "")
    assert said in run.err
    assert "word" not in run.err
    assert run.err.endswith("Nothing was changed.\n")
    assert everything(copy) == before


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("http://127.0.0.1:1/api.yaml", "cannot be read: [Errno 111] Connection refused"),
        ("ftp://127.0.0.1/api.yaml", "only http and https are"),
        ("http://[/api.yaml", "cannot be read: "),
        ("no/such/file.yaml", "no/such/file.yaml cannot be read: [Errno 2]"),
        (".", ". cannot be read: [Errno 21]"),
    ],
)
def test_a_source_that_cannot_be_read(copy: Path, regenerate: Regenerate, source: str, said: str) -> None:
    """It is said what is wrong with a file or an address, and everything stays as it was."""
    before = everything(copy)
    run = regenerate("--from", source)
    assert (run.status, run.out) == (2, "")
    assert said in run.err
    assert everything(copy) == before


def fails(_: Any) -> Any:
    raise RuntimeError("the generator has stumbled")


def breaks_template(copy: Path, _: pytest.MonkeyPatch) -> None:
    edit(copy, "templates/model.py.jinja", "{%", "{% nonsense %}{%")


def breaks_generator(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openapi_python_client.Project.build", fails)


def breaks_parser(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "operations", lambda *_: fails(None))


def breaks_comparison(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "compare", lambda *_: fails(None))


def breaks_swap(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Path.rename

    def once(path: Path, target: Path) -> Path:
        if path.name == "generated" and path.parent.name == "new":
            raise OSError("the disk has stumbled")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", once)


@pytest.mark.parametrize(
    ("breaks", "said"),
    [
        (breaks_template, "does not fit: "),
        (breaks_generator, "stumbled"),
        (breaks_parser, "The generator cannot read the spec: RuntimeError('the generator has stumbled')"),
        (breaks_comparison, "stopped by a mistake of its own"),
        (breaks_swap, "the disk has stumbled"),
    ],
)
def test_a_failure_on_the_way_changes_nothing(
    bare: Path,
    changed: Changed,
    regenerate: Regenerate,
    monkeypatch: pytest.MonkeyPatch,
    breaks: Callable[[Path, pytest.MonkeyPatch], None],
    said: str,
) -> None:
    """Whatever stumbles, and even when half is in place, spec/ and generated/ are as they were, and there is no report."""
    breaks(bare, monkeypatch)
    before = everything(bare)
    run = regenerate("--from", changed(colour), "--report", bare / "report.md")
    assert (run.status, run.out) == (2, "")
    assert said in run.err
    assert run.err.endswith("Nothing was changed.\n")
    assert everything(bare) == before


def test_a_report_that_cannot_be_written_stops_everything(
    bare: Path, changed: Changed, regenerate: Regenerate
) -> None:
    """That is found out before anything is changed."""
    before = everything(bare)
    for place in (bare / "no" / "report.md", bare):
        run = regenerate("--from", changed(colour), "--report", place)
        assert run.status == 2
        assert everything(bare) == before


# --- being interrupted ----------------------------------------------------------------------------------------------


def test_an_interruption_changes_nothing(
    bare: Path, changed: Changed, regenerate: Regenerate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C at the last moment before the swap leaves everything as it was."""

    def interrupted(*_: Any) -> Any:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(work, "name_changes", interrupted)
    before = everything(bare)
    run = regenerate("--from", changed(colour), "--report", bare / "report.md")
    assert (run.status, run.out) == (130, "")
    assert run.err == "scripts/regenerate: interrupted.\nNothing was changed.\n"
    assert everything(bare) == before


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_running_program_can_be_ended(copy: Path, peer: Peer, number: int, status: int) -> None:
    """It ends at once, leaves everything as it was and nothing behind."""
    peer.always("/api", peer.never)
    before = everything(copy)
    scratch = copy.parent / "scratch"
    scratch.mkdir()
    program = subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-m",
            "scripts.regeneration",
            "--root",
            copy,
            "--from",
            f"{peer.base_url}/api",
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(scratch)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    with program:
        until = time.monotonic() + 30
        while not peer.requests and time.monotonic() < until:
            time.sleep(0.02)
        program.send_signal(number)
        assert program.wait(timeout=10) == status
    assert everything(copy) == before
    assert list(scratch.iterdir()) == []


def test_an_interruption_amid_the_swap_comes_too_late(
    bare: Path, changed: Changed, regenerate: Regenerate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The swap takes milliseconds and is finished; what is printed is what was done."""
    put = folders._put

    def disturbed(*arguments: Any, **keywords: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        put(*arguments, **keywords)

    monkeypatch.setattr(folders, "_put", disturbed)
    run = regenerate("--from", changed(colour))
    assert (run.status, run.err) == (0, "")
    assert "colour: str | Unset" in (bare / "generated/payman_api/models/task_send_params.py").read_text()
    assert regenerate("--check").status == 0


KILLED = """
import os, sys
from pathlib import Path
from scripts.regeneration.folders import restore, swap

root, last, what = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
count = 0

def counted(function):
    def call(*arguments, **keywords):
        global count
        if count == last:
            os._exit(9)
        count += 1
        return function(*arguments, **keywords)
    return call

for name in ("rename", "replace", "unlink"):
    setattr(Path, name, counted(getattr(Path, name)))
if what == "swap":
    coming = {"spec/a": root / "new/a", "spec/b": None, "spec/c": root / "new/c", "generated": root / "new/generated"}
    swap(root, coming)
else:
    restore(root)
"""


def killed(root: Path, last: int, what: str) -> int:
    """Swap or restore, and be killed before the so many-th time that anything is moved."""
    command = [sys.executable, "-P", "-c", KILLED, str(root), str(last), what]
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False).returncode


def mixture(root: Path) -> dict[str, str]:
    found = {
        path.relative_to(root).as_posix(): path.read_text()
        for name in ("spec", "generated")
        for path in (root / name).rglob("*")
        if path.is_file()
    }
    return dict(sorted(found.items()))


def prepared(root: Path) -> Path:
    for name in ("spec/a", "spec/b", "generated/x", "generated/y"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("old")
    for name in ("new/a", "new/c", "new/generated/x", "new/generated/z"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("new")
    return root


OLD = {"generated/x": "old", "generated/y": "old", "spec/a": "old", "spec/b": "old"}
NEW = {"generated/x": "new", "generated/z": "new", "spec/a": "new", "spec/c": "new"}


def test_a_kill_amid_the_swap_is_put_right(tmp_path: Path) -> None:
    """Wherever the swap is cut short, and wherever the next run's repair is, in the end everything is old or everything new."""
    ends = []
    last, status = 0, 9
    while status == 9:
        root = prepared(tmp_path / str(last))
        status = killed(root, last, "swap")
        mixed = mixture(root) not in (OLD, NEW)
        assert not mixed or folders.is_cut_short(root)
        if mixed:
            killed(root, last % 5, "restore")
        folders.restore(root)
        assert not (root / folders.WORKSHOP).exists()
        assert mixture(root) in (OLD, NEW)
        ends.append("old" if mixture(root) == OLD else "new")
        last += 1
    assert ends == sorted(ends, reverse=True), "old up to a moment, new from it on"
    assert len(ends) > 8


def test_a_swap_that_was_cut_short_is_undone_first(copy: Path, regenerate: Regenerate) -> None:
    """A check says so and changes nothing; a run puts everything back and then does its work."""
    before = everything(copy)
    new = copy.parent / "new"
    new.write_text("broken")
    killed_at = """
import os, sys
from pathlib import Path
from scripts.regeneration import folders
put = folders._put
def once(root, name, comes):
    put(root, name, comes=comes)
    os._exit(9)
folders._put = once
folders.swap(Path(sys.argv[1]), {"spec/payman.openapi.yaml": Path(sys.argv[2]), "generated": None})
"""
    command = [sys.executable, "-P", "-c", killed_at, str(copy), str(new)]
    assert subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False).returncode == 9
    assert (copy / DOCUMENT).read_text() == "broken"

    check = regenerate("--check")
    assert check.status == 2
    assert "an earlier run was cut short" in check.err
    assert (copy / DOCUMENT).read_text() == "broken"

    run = regenerate()
    assert (run.status, run.out) == (0, "")
    assert run.err == "scripts/regenerate: an earlier run was cut short; everything is back as it was.\n"
    assert everything(copy) == before


# --- a terminal -----------------------------------------------------------------------------------------------------


def test_a_terminal_shows_the_steps(bare: Path, changed: Changed) -> None:
    """Whoever watches sees what is being done; what was found is on standard output all the same."""
    leader, terminal = pty.openpty()
    program = subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-m",
            "scripts.regeneration",
            "--root",
            bare,
            "--check",
            "--from",
            changed(colour),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=terminal,
        text=True,
    )
    os.close(terminal)
    shown = b""
    with os.fdopen(leader, "rb", buffering=0) as screen, program:
        while True:
            try:
                piece = screen.read(4096)
            except OSError:  # the other side has closed it
                break
            if not piece:
                break
            shown += piece
        out, _ = program.communicate()
    assert program.returncode == 1
    assert out.startswith("changed spec/payman.openapi.yaml\n")
    for step in ("Reading the document", "Generating the client", "Comparing with what was there"):
        assert f"✓ {step}" in shown.decode()
