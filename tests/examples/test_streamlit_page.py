"""examples/streamlit-page works in Streamlit's own test client, in an environment of its own: Streamlit is too big for ours."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from payman_sdk.sandbox import ConnectionLost, HTTPError, Sandbox
from tests import environments
from tests.examples.programs import EXAMPLES, environment

LOCK = Path(__file__).with_name("streamlit_page.lock")
ROOT = EXAMPLES.parent

BEGINNING = """
import json, sys
import streamlit as st
from streamlit.testing.v1 import AppTest

def say(text):
    page.chat_input[0].set_value(text).run()

def click(label):
    [button] = [button for button in page.button if button.label == label]
    button.click().run()

page = AppTest.from_file(sys.argv[1], default_timeout=30).run()
"""
END = """
print(json.dumps({
    "exceptions": [exception.value for exception in page.exception],
    "captions": [caption.value for caption in page.caption],
    "buttons": [button.label for button in page.button],
    "chat": [[message.name, *(text.value for text in message.markdown)] for message in page.chat_message],
}))
"""


def visit(python: Path, program: str, folder: Path, sandbox: Sandbox | None = None) -> dict[str, Any]:
    """What a visitor sees after what the program does on the page."""
    variables = environment(sandbox) | {"STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false", "HOME": str(folder)}
    variables["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "generated")])
    del variables[
        "PYTHONWARNINGS"
    ]  # what Streamlit and its dependencies say to each other is their own matter
    done = subprocess.run(
        [str(python), "-c", BEGINNING + program + END, str(EXAMPLES / "streamlit-page" / "page.py")],
        cwd=folder,
        env=variables,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert seen["exceptions"] == []
    return seen


def the_page_works_without_an_account(python: Path, folder: Path) -> None:
    """It says that its Payman is a local one, pays there, remembers what was said, and offers no buttons."""
    seen = visit(
        python,
        'say("send 10 TSD to Test Payee for coffee"); say("What did we talk about earlier?")',
        folder,
    )
    assert "local Payman" in seen["captions"][0]
    assert [role for role, *_ in seen["chat"]] == ["user", "assistant"] * 2
    assert "Sent **10.00 TSD** to **Test Payee** for coffee" in seen["chat"][1][1]
    assert "coffee" in seen["chat"][3][1]
    assert seen["buttons"] == []


def a_payment_waits_for_a_button(python: Path, folder: Path) -> None:
    """A payment above the threshold offers two buttons, and is made, or not, when one was clicked."""
    with Sandbox() as sandbox:
        seen = visit(python, 'say("send 150 TSD to Test Payee")', folder, sandbox)
        assert seen["captions"] == []
        assert seen["buttons"] == ["Approve", "Deny"]
        assert sandbox.balance("TSD") == 1000

        seen = visit(
            python,
            'say("send 120 TSD to Test Payee"); click("Approve"); say("send 130 TSD to Test Payee"); click("Deny")',
            folder,
            sandbox,
        )
        assert seen["buttons"] == []
        assert seen["chat"][3][1].startswith("Approved. Sent **120.00 TSD**")
        assert seen["chat"][7][1].startswith("Denied: **130.00 TSD**")
        assert sandbox.balance("TSD") == 880


def a_click_in_the_middle_is_no_second_payment(python: Path, folder: Path) -> None:
    """A run that is stopped while the answer comes is followed by one that shows the same payment."""
    stopped = """
whole = st.write_stream

def stopped(pieces):
    next(iter(pieces))
    st.write_stream = whole
    st.rerun()  # what a click does

st.write_stream = stopped
say("send 10 TSD to Test Payee")
"""
    with Sandbox() as sandbox:
        seen = visit(python, stopped, folder, sandbox)
        assert [role for role, *_ in seen["chat"]] == ["user", "assistant"]
        assert seen["chat"][1][1].endswith("Your TSD wallet holds 990.00 TSD now.")
        assert len(sandbox.payments) == 1
        assert [request.operation for request in sandbox.requests].count("send_task_subscribe") == 1


def what_goes_wrong_is_said(python: Path, folder: Path) -> None:
    """A refusal is told as nothing done, and a lost answer with the task to look for; the page goes on."""
    with Sandbox() as sandbox:
        sandbox.script([HTTPError(403)])
        seen = visit(python, 'say("send 10 TSD to Test Payee"); say("list all wallets")', folder, sandbox)
        assert seen["chat"][1][1].startswith("Not done: ")
        assert "TSD Wallet" in seen["chat"][3][1]
        assert sandbox.payments == []
    with Sandbox(tasks_get=False) as sandbox:
        sandbox.script([ConnectionLost()])
        seen = visit(python, 'say("send 10 TSD to Test Payee")', folder, sandbox)
        assert seen["chat"][1][1].startswith("It may have been carried out: ")


def test_the_page_works_in_streamlit(tmp_path: Path) -> None:
    """It works without an account, waits for a button, survives a click in the middle, and says what goes wrong."""
    python = environments.with_locked(LOCK)
    the_page_works_without_an_account(python, tmp_path)
    a_payment_waits_for_a_button(python, tmp_path)
    a_click_in_the_middle_is_no_second_payment(python, tmp_path)
    what_goes_wrong_is_said(python, tmp_path)
