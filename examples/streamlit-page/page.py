"""Chat with Payman's agent in the browser: streamlit run page.py."""

import os
import uuid

import streamlit as st

from payman_sdk import Conversation, PaymanClient
from payman_sdk.errors import OutcomeUnknownError, PaymanError

Message = dict[str, str]


@st.cache_resource
def get_client() -> PaymanClient:
    """Create one client for all visitors: of the account in the environment, or else of a local Payman."""
    if os.environ.get("PAYMAN_CLIENT_ID"):
        return PaymanClient.from_env(timeout=60)
    from payman_sdk.sandbox import Sandbox

    return Sandbox(pace=0.1).start().client()


def get_conversation() -> Conversation:
    """Return this visitor's conversation. Streamlit runs the page again for each click; only session_state remains."""
    if "conversation" not in st.session_state:
        st.session_state.conversation = get_client().conversation()
        st.session_state.messages = []
    found: Conversation = st.session_state.conversation
    return found


def answer(question: Message) -> None:
    """Ask a question that has no answer yet, show the answer while it arrives, and save it.

    A click stops a run of the page in the middle, and the next run begins here again. It asks with the same key, so it makes
    no second payment.
    """
    try:
        if task_id := question.get("replies_to"):
            response = get_conversation().get_task(task_id)
            if response.requires_input:  # else a stopped run, or somebody else, has decided it
                response = get_conversation().reply(task_id, question["text"])
            words = response.artifacts[-1]["content"] if response.artifacts else response.text
            st.markdown(words)
        else:
            with get_conversation().stream(question["text"], idempotency_key=question["key"]) as stream:
                st.write_stream(stream.text_stream)
                response = stream.result()
            words = response.text
        save(words, waits=response.task_id if response.requires_input else "")
    except PaymanError as error:
        if error.sent is False and not isinstance(error, OutcomeUnknownError):
            save(f"Not done: {error.message}")
        else:  # nothing proves that it was not done, now or by an earlier run of the page
            save(
                f"It may have been carried out: {error.message} Look before you ask again: `{error.task_id}`."
            )


def save(text: str, waits: str = "") -> None:
    """Save an answer or an error, and the task that waits for a decision."""
    st.session_state.messages.append({"role": "assistant", "text": text, "waits": waits})


def ask(text: str, replies_to: str = "") -> None:
    """Save a question with a new key, before anything is sent."""
    question = {"role": "user", "text": text, "key": str(uuid.uuid4()), "replies_to": replies_to}
    st.session_state.messages.append(question)


st.title("Payman")
if not os.environ.get("PAYMAN_CLIENT_ID"):
    st.caption("PAYMAN_CLIENT_ID is not set: this is a local Payman, with test money.")
get_conversation()
if text := st.chat_input("Ask Payman, such as: send 10 TSD to Test Payee"):
    ask(text)

messages: list[Message] = st.session_state.messages
for message in messages:
    with st.chat_message(message["role"]):
        st.markdown(message["text"])

if messages and messages[-1]["role"] == "user":
    with st.chat_message("assistant"):
        answer(messages[-1])
    st.rerun()

if messages and (waiting := messages[-1].get("waits")):
    yes, no = st.columns(2)
    yes.button("Approve", on_click=ask, args=("approve", waiting))
    no.button("Deny", on_click=ask, args=("deny", waiting))
