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

PROGRAM = """
import importlib, json, os, sys, traceback
import streamlit as st
from streamlit.testing.v1 import AppTest

# What the page and `st.write_stream` import when they are first used.
for name in ("pandas", "pyarrow", "_client.sync", "_core.operations", "_io.runner", "_io.pool", "sandbox._server.server"):
    importlib.import_module(f"payman_sdk.{name}" if name.startswith(("_", "sandbox")) else name)

def visit(program):
    page = AppTest.from_file(sys.argv[1], default_timeout=30).run()

    def say(text):
        page.chat_input[0].set_value(text).run()

    def click(label):
        [button] = [button for button in page.button if button.label == label]
        button.click().run()

    exec(program, {"st": st, "say": say, "click": click})
    print(json.dumps({
        "exceptions": [exception.value for exception in page.exception],
        "captions": [caption.value for caption in page.caption],
        "buttons": [button.label for button in page.button],
        "chat": [[message.name, *(text.value for text in message.markdown)] for message in page.chat_message],
    }))

for line in sys.stdin:
    variables, program = json.loads(line)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.environ.clear()
            os.environ.update(variables)
            visit(program)
            status = 0
        finally:
            traceback.print_exc(file=sys.stdout)
            sys.stdout.flush()
            os._exit(status)
    print("ended with", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Each visit has its own process, which finds Streamlit and the SDK imported."""


class Visitor:
    """Somebody who visits the page.

    Args:
        python: An interpreter that has Streamlit.
        folder: Their home.
    """

    def __init__(self, python: Path, folder: Path) -> None:
        self._variables = {
            "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
            "HOME": str(folder),
            "OPENBLAS_NUM_THREADS": "1",
        }
        self._variables["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "generated")])
        own = environment() | self._variables
        del own["PYTHONWARNINGS"]  # what Streamlit and its dependencies say to each other is their own matter
        command = [str(python), "-c", PROGRAM, str(EXAMPLES / "streamlit-page" / "page.py")]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, cwd=folder, env=own, stdin=pipe, stdout=pipe, encoding="utf-8"
        )

    def visit(self, program: str, sandbox: Sandbox | None = None) -> dict[str, Any]:
        """What they see after what the program does on the page."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(
            json.dumps([environment(sandbox) | self._variables, program]),
            file=self._process.stdin,
            flush=True,
        )
        said: list[str] = []
        while not said or not said[-1].startswith("ended with "):
            said.append(self._process.stdout.readline())
            assert said[-1], said
        assert said[-1] == "ended with 0\n", "".join(said)
        seen: dict[str, Any] = json.loads(next(line for line in said if line.startswith("{")))
        assert seen["exceptions"] == []
        return seen

    def close(self) -> None:
        """End it."""
        self._process.communicate(timeout=60)
        assert self._process.returncode == 0


def the_page_works_without_an_account(visitor: Visitor) -> None:
    """It says that its Payman is a local one, pays there, remembers what was said, and offers no buttons."""
    seen = visitor.visit(
        'say("send 10 TSD to Test Payee for coffee"); say("What did we talk about earlier?")',
    )
    assert "local Payman" in seen["captions"][0]
    assert [role for role, *_ in seen["chat"]] == ["user", "assistant"] * 2
    assert "Sent **10.00 TSD** to **Test Payee** for coffee" in seen["chat"][1][1]
    assert "coffee" in seen["chat"][3][1]
    assert seen["buttons"] == []


def a_payment_waits_for_a_button(visitor: Visitor) -> None:
    """A payment above the threshold offers two buttons, and is made, or not, when one was clicked."""
    with Sandbox() as sandbox:
        seen = visitor.visit('say("send 150 TSD to Test Payee")', sandbox)
        assert seen["captions"] == []
        assert seen["buttons"] == ["Approve", "Deny"]
        assert sandbox.balance("TSD") == 1000

        seen = visitor.visit(
            'say("send 120 TSD to Test Payee"); click("Approve"); say("send 130 TSD to Test Payee"); click("Deny")',
            sandbox,
        )
        assert seen["buttons"] == []
        assert seen["chat"][3][1].startswith("Approved. Sent **120.00 TSD**")
        assert seen["chat"][7][1].startswith("Denied: **130.00 TSD**")
        assert sandbox.balance("TSD") == 880


def a_click_in_the_middle_is_no_second_payment(visitor: Visitor) -> None:
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
        seen = visitor.visit(stopped, sandbox)
        assert [role for role, *_ in seen["chat"]] == ["user", "assistant"]
        assert seen["chat"][1][1].endswith("Your TSD wallet holds 990.00 TSD now.")
        assert len(sandbox.payments) == 1
        assert [request.operation for request in sandbox.requests].count("send_task_subscribe") == 1


def what_goes_wrong_is_said(visitor: Visitor) -> None:
    """A refusal is told as nothing done, and a lost answer with the task to look for; the page goes on."""
    with Sandbox() as sandbox:
        sandbox.script([HTTPError(403)])
        seen = visitor.visit('say("send 10 TSD to Test Payee"); say("list all wallets")', sandbox)
        assert seen["chat"][1][1].startswith("Not done: ")
        assert "TSD Wallet" in seen["chat"][3][1]
        assert sandbox.payments == []
    with Sandbox(tasks_get=False) as sandbox:
        sandbox.script([ConnectionLost()])
        seen = visitor.visit('say("send 10 TSD to Test Payee")', sandbox)
        assert seen["chat"][1][1].startswith("It may have been carried out: ")


def test_the_page_works_in_streamlit(tmp_path: Path) -> None:
    """It works without an account, waits for a button, survives a click in the middle, and says what goes wrong."""
    visitor = Visitor(environments.with_locked(LOCK), tmp_path)
    try:
        the_page_works_without_an_account(visitor)
        a_payment_waits_for_a_button(visitor)
        a_click_in_the_middle_is_no_second_payment(visitor)
        what_goes_wrong_is_said(visitor)
    finally:
        visitor.close()
