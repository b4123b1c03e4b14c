from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.peer import Peer, answer
from tests.regenerate.conftest import DOCUMENT, ROOT, Changed, Regenerate, colour, edit, everything
from tests.yaml_text import load_yaml

FIELD = "        acceptedOutputModes:\n"


def add_colour(copy: Path) -> None:
    edit(copy, "payman.openapi.yaml", FIELD, "        colour:\n          type: string\n" + FIELD)


def git(copy: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]
    subprocess.run(["git", "-C", str(copy), *identity, *arguments], check=True, capture_output=True)


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
    document = load_yaml((bare / DOCUMENT).read_text())
    peer.always("/api.json", answer(body=json.dumps(document)))
    run = regenerate("--from", f"{peer.base_url}/api.json?key=secret")
    assert (run.status, run.err) == (0, "")
    assert run.out.startswith("changed spec/payman.openapi.yaml\n\nThe API:\n  the same as before\n")
    assert load_yaml((bare / DOCUMENT).read_text()) == document
    assert regenerate("--check").status == 0


def test_an_edit_is_compared_with_what_was_committed(bare: Path, regenerate: Regenerate) -> None:
    """Whether the edit is committed already or not, it is compared with what the client was made from."""
    git(bare, "init", "--quiet")
    git(bare, "add", "spec", "generated")
    git(bare, "commit", "--quiet", "--message", "First")
    add_colour(bare)
    run = regenerate("--check", "--report", bare / "report.md")
    assert (run.status, run.err) == (1, "")
    reported = run.section("The API:")
    assert [line.partition("`")[2] for line in reported] == [
        "TaskSendParams.colour` was added and is optional (in requests). Reaches send_task, send_task_subscribe."
    ]
    git(bare, "commit", "--quiet", "--all", "--message", "Second")
    run = regenerate()
    assert (run.status, run.err) == (0, "")
    assert run.section("The API:") == reported


def test_without_git_the_names_are_reported(bare: Path, regenerate: Regenerate) -> None:
    """What has changed in the API cannot be told; which names and files did, can."""
    add_colour(bare)
    run = regenerate()
    assert (run.status, run.err) == (0, "")
    assert "What has changed in the API cannot be told" in run.out
    assert run.section("Names of payman_api:") == ["added     payman_api.models.TaskSendParams.colour"]
    assert "Version:" not in run.out


def test_a_changed_template_is_not_a_change_of_the_api(bare: Path, regenerate: Regenerate) -> None:
    """The templates that were committed give the client that was there, so the document is known to be the same."""
    git(bare, "init", "--quiet")
    git(bare, "add", "spec", "generated")
    git(bare, "commit", "--quiet", "--message", "First")
    edit(bare, "templates/errors.py.jinja", "class UnexpectedStatus", "class StrangeStatus")
    run = regenerate("--check", "--report", bare / "report.md")
    assert (run.status, run.err) == (1, "")
    assert run.section("The API:") == ["the same as before"]
    assert "removed   payman_api.errors.UnexpectedStatus" in run.out
    assert "Version: a major step, because names of payman_api have changed or are gone." in run.out


def test_the_script_is_run_from_anywhere_and_shows_a_terminal_its_steps(small: Path) -> None:
    """A file is looked for where the caller is, and a check changes nothing.

    Whoever watches sees what is being done; what was found is on standard output all the same.
    """
    pty = pytest.importorskip("pty")
    before = everything(small)
    leader, terminal = pty.openpty()
    program = subprocess.Popen(
        [
            ROOT / "scripts" / "regenerate",
            "--root",
            small,
            "--check",
            "--from",
            "new.yaml",
            "--report",
            "report.md",
        ],
        cwd=small.parent,
        env={**os.environ, "TERM": "xterm", "NO_COLOR": "1"},
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
    assert program.returncode == 1, shown
    assert out.startswith("changed spec/payman.openapi.yaml\n")
    for step in ("Reading the document", "Generating the client", "Comparing with what was there"):
        assert f"✓ {step}" in shown.decode()
    assert "X-Line" in out
    assert (small.parent / "report.md").exists()
    assert everything(small) == before


def test_a_scheduled_check_of_an_address_says_by_its_status_what_to_do(
    bare: Path, changed: Changed, regenerate: Regenerate, peer: Peer
) -> None:
    """0 for the same API, however it is laid out; 1 for another one; 2 where that cannot be told. Nothing changes."""
    before = everything(bare)
    document = load_yaml((bare / DOCUMENT).read_text(encoding="utf-8"))
    another = load_yaml(changed(colour).read_text(encoding="utf-8"))
    for content, status, said in (
        (json.dumps(document).encode(), 0, ""),
        ((bare / DOCUMENT).read_bytes() + b"# a comment\n", 0, ""),
        (json.dumps(another).encode(), 1, "additive  schema TaskSendParams, property colour"),
        (b"<!doctype html>", 2, ""),
    ):
        peer.always("/openapi.json", answer(body=content.decode()))
        run = regenerate("--check", "--from", f"{peer.base_url}/openapi.json")
        assert run.status == status, run
        assert said in run.out
        assert (run.err != "") == (status == 2)
        assert everything(bare) == before
