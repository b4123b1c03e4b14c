"""The cassettes as files: nothing secret in them, one for each conversation, and recording them again changes nothing."""

from __future__ import annotations

import base64
import os
import re
import subprocess
from pathlib import Path

import pytest

from payman_sdk.testing._redaction.scrubber import Scrubber
from tests.environments import AS_OTHERS
from tests.tables import table

pytestmark = pytest.mark.slow


ROOT = Path(__file__).parent.parent
CASSETTES = ROOT / "tests" / "cassettes"
FILES = sorted(CASSETTES.rglob("*.yaml"))


@table("path", FILES, ids=lambda path: str(path.relative_to(CASSETTES)))
def test_no_cassette_holds_a_secret(path: Path) -> None:
    """Neither the hunt that recording makes, nor one of another kind, finds a credential in a cassette."""
    text = path.read_text(encoding="utf-8")
    assert Scrubber().find_leaks(text) == []
    for secret in ("recorded-secret", "wrong-secret-of-nobody", "good-for-nothing"):
        assert secret not in text
        assert base64.b64encode(f"pm-test-recorded:{secret}".encode()).decode() not in text
    for name, value in re.findall(
        r'"(access_?token|refresh_?token|client_?secret)" ?: ?"([^"]*)', text, re.IGNORECASE
    ):
        assert value.startswith("SCRUBBED-"), name
    for name, value in re.findall(r"[?&](code|refresh_token|code_verifier|client_id)=([^&\s]*)", text):
        assert value.startswith("SCRUBBED-"), name
    for name, value in re.findall(
        r"^ +(x-payman-access-token|authorization):\n +- (.*)$", text, re.MULTILINE
    ):
        assert re.fullmatch(r"(Basic |Bearer )?SCRUBBED-[a-z-]+-\d(:SCRUBBED-[a-z-]+-\d)?", value), name
    # What is long and looks like chance is an id that is no secret, or the file that an artifact holds.
    ids = r"(?:tsk|ses|req|txn|pd|ai|org|pm-test)-[0-9a-f-]{36}"
    assert re.findall(r"[A-Za-z0-9+_-]{32,}", re.sub(ids, "", text)) == []


def test_every_cassette_says_what_it_was_recorded_against() -> None:
    """The first line of a cassette names the server."""
    for path in FILES:
        first = path.read_text(encoding="utf-8").partition("\n")[0]
        assert re.match(r"# Recorded against (the sandbox|agent\.payman\.dev)\b", first), path


def check_names(said: str) -> None:
    """Nothing is left over when a test is renamed, and nothing is missing."""
    conversations = {
        f"{topic}/" + re.sub(r"[^a-z0-9_.-]+", "-", name.lower()).strip("-")
        for topic, name in re.findall(
            r"^tests/recorded/test_recorded_(\w+)\.py::test_(\S+) PASSED", said, re.MULTILINE
        )
        if topic != "async"
    }
    assert {str(path.relative_to(CASSETTES).with_suffix("")) for path in FILES} == conversations
    assert len(conversations) > 40


def test_the_asynchronous_client_replays_what_is_there() -> None:
    """Each test of the async client names a cassette that exists."""
    code = (ROOT / "tests/recorded/test_recorded_async.py").read_text(encoding="utf-8")
    named = re.findall(r'^@pytest\.mark\.default_cassette\("(.+)"\)$', code, re.MULTILINE)
    assert named
    for name in named:
        assert (CASSETTES / f"{name}.yaml").exists(), name


def test_recording_again_changes_nothing(tmp_path: Path) -> None:
    """What the sandbox says today is what the cassettes hold, byte for byte; those recorded at Payman are left alone.

    Each conversation that is recorded has a cassette, and each cassette a conversation.
    """
    done = subprocess.run(
        [ROOT / "scripts" / "record", "-vv", "-p", "no:cacheprovider", "--cassettes", str(tmp_path)],
        env={**os.environ, "PYTEST_ADDOPTS": " ".join(AS_OTHERS)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    check_names(done.stdout)
    for path in FILES:
        recorded = path.read_text(encoding="utf-8")
        if recorded.startswith("# Recorded against the sandbox"):
            assert (tmp_path / path.relative_to(CASSETTES)).read_text(encoding="utf-8") == recorded


def test_recording_at_payman_needs_credentials() -> None:
    """`scripts/record --live` without credentials says what it needs, and records nothing."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAYMAN_")}
    done = subprocess.run(
        [ROOT / "scripts" / "record", "--live"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "PAYMAN_CLIENT_ID and PAYMAN_CLIENT_SECRET" in done.stderr
