"""What states mean: every state has its place in every table, and what nobody has listed is not final."""

from __future__ import annotations

from payman_sdk._cli.exit_codes import COMPLETED, FAILED, REFUSED, UNDETERMINED, WAITING, from_state
from payman_sdk._core.task_response import (
    Phase,
    canonicalize_state,
    get_phase,
    get_status,
    has_ended,
    is_resting,
)
from payman_sdk.agents import PaymanToolkit
from payman_sdk.sandbox import Sandbox, ScriptedResponse
from payman_sdk.sandbox._agent.turn import EXPLANATIONS, State
from payman_sdk.types import TaskState

MEANINGS = {
    # state: phase, status, has ended, rests, exit status, what Stats counts
    "completed": (Phase.COMPLETED, "completed", True, True, COMPLETED, "completed"),
    "failed": (Phase.FAILED, "failed", True, True, FAILED, "failed"),
    "canceled": (Phase.FAILED, "failed", True, True, FAILED, "failed"),
    "rejected": (Phase.FAILED, "failed", True, True, REFUSED, "failed"),
    "input-required": (Phase.AWAITS_REPLY, "in_progress", False, True, WAITING, "input_required"),
    "auth-required": (Phase.AWAITS_PERSON, "in_progress", False, True, WAITING, "input_required"),
    "submitted": (Phase.AT_WORK, "in_progress", False, False, UNDETERMINED, "in_progress"),
    "working": (Phase.AT_WORK, "in_progress", False, False, UNDETERMINED, "in_progress"),
    "unknown": (Phase.UNKNOWN, "in_progress", False, False, UNDETERMINED, "in_progress"),
}
UNLISTED = ("On_Hold", "done", "", " completed", "completed!", "TASK_STATE_", "TASK_STATE_DONE", "succeeded")


def test_every_state_has_its_place_in_every_table() -> None:
    """The client, the command, the statistics and the sandbox know the same states, and agree on what they mean."""
    for states in (TaskState, State, EXPLANATIONS):
        assert set(MEANINGS) == {state.value for state in states}
    for state, (phase, status, ended, resting, exit_status, _) in MEANINGS.items():
        meaning = (
            get_phase(state),
            get_status(state),
            has_ended(state),
            is_resting(state),
            from_state(state),
        )
        assert meaning == (phase, status, ended, resting, exit_status), state
        assert State(state).has_ended is ended, state


def test_a_client_treats_every_state_by_its_meaning() -> None:
    """An ask returns in every state; only what waits for words requires input."""
    with Sandbox() as sandbox:
        for state, (phase, status, ended, _, _, counted) in MEANINGS.items():
            with sandbox.client() as client:
                sandbox.script([ScriptedResponse("Said.", state=state)])
                response = client.ask("send 10 TSD to Test Payee")
                seen = (response.state, response.status, response.is_final, response.requires_input)
                assert seen == (state, status, ended, phase is Phase.AWAITS_REPLY), state
                assert isinstance(response.state, TaskState), state
                assert getattr(client.stats(), counted) == 1, state


def test_spellings_of_states() -> None:
    """Upper case, underscores, camel case and the names of later versions of the protocol mean the same state."""
    for state in TaskState:
        for spelling in (
            state.value,
            state.name,
            state.value.title(),
            f"TASK_STATE_{state.name}",
            f"task_state_{state.value}",
        ):
            assert canonicalize_state(spelling) == state.value, spelling
    assert canonicalize_state("inputRequired") == "input-required"
    assert canonicalize_state("TASK_STATE_CANCELLED") == canonicalize_state("Cancelled") == "canceled"
    assert canonicalize_state("TASK_STATE_UNSPECIFIED") == "unknown"


def test_a_state_that_nobody_has_listed_is_not_final() -> None:
    """It stays as the agent wrote it, and the task counts as at work."""
    for state in UNLISTED:
        assert canonicalize_state(state) == state
        assert (get_phase(state), get_status(state)) == (Phase.AT_WORK, "in_progress"), state
        assert not has_ended(state), state
        assert not is_resting(state), state


def test_what_is_rejected_has_ended() -> None:
    """`wait` returns at once, and the toolkit reports a refusal."""
    with Sandbox() as sandbox, sandbox.client() as client:
        sandbox.script([ScriptedResponse("Policy says no.", state="rejected")] * 2)
        response = client.ask("send 10 TSD to Test Payee")
        assert response.error == {"state": "rejected", "message": "Rejected by the agent"}
        assert client.wait(response, timeout=30).state == TaskState.REJECTED
        assert client.stats().lookups == 1
        assert PaymanToolkit(client).pay("Test Payee", "10", "TSD", operation="op-1").status == "refused"


def test_what_waits_for_a_person_returns() -> None:
    """`ask` and streams return a task that waits for a person elsewhere; agents are not invited to reply."""
    with Sandbox() as sandbox, sandbox.client() as client:
        sandbox.script([ScriptedResponse("Please sign in.", state="auth-required")] * 3)
        assert not client.ask("send 10 TSD to Test Payee").requires_input
        with client.stream("send 10 TSD to Test Payee") as stream:
            assert list(stream)[-1]["state"] == "auth-required"
            assert stream.result().state is TaskState.AUTH_REQUIRED
        assert PaymanToolkit(client).pay("Test Payee", "10", "TSD", operation="op-1").status == "working"
