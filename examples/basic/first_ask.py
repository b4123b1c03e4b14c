"""Ask Payman's agent in one session, and print the answers."""

import contextlib
import os
import sys
from collections.abc import Iterator

from payman_sdk import PaymanClient
from payman_sdk.errors import PaymanError

QUESTIONS = ["what's my TSD wallet balance?", "What did we talk about earlier?"]


@contextlib.contextmanager
def open_client() -> Iterator[PaymanClient]:
    """Open a client of the account in the environment, or else of a local Payman."""
    if os.environ.get("PAYMAN_CLIENT_ID"):
        with PaymanClient.from_env() as client:
            yield client
    else:
        from payman_sdk.sandbox import Sandbox

        print("PAYMAN_CLIENT_ID is not set: this is a local Payman, with test money.\n")
        with Sandbox() as sandbox, sandbox.client() as client:
            yield client


def main(questions: list[str]) -> None:
    """Ask one question after the other. The agent remembers what was said in the session."""
    with open_client() as client:
        if token := client.get_access_token():  # ask() fetches one too; this shows it
            print(f"token:   one for {token['expiresIn']} seconds")
        print(f"session: {client.get_session_id()}")
        for question in questions:
            response = client.ask(question)
            print(f"\n> {question}\n{response.text}")
            print(f"[{response.status}, {response.task_id}]")
            if response.requires_input:
                print("It waits for a person: client.reply(response, 'approve') or client.wait(response).")


if __name__ == "__main__":
    try:
        main(sys.argv[1:] or QUESTIONS)
    except PaymanError as error:
        if error.sent is False:
            sys.exit(f"Not done: {error}")
        sys.exit(f"It may have been carried out. Do not send it again; ask about {error.task_id}: {error}")
