"""Every method of a client and of a conversation, described: both kinds inherit the descriptions, and write the signatures out.

`typed_interface.py` has payments and lists.
"""

from __future__ import annotations

from typing import Any


class CallInterface:
    """What can be asked in a session.

    Its methods are described here once; `SyncMethods` and `AsyncMethods` have their signatures, and do them.
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name, method in vars(cls).items():
            # Editors find an inherited description; what reads `__doc__`, such as LangChain, does not look for one.
            described = getattr(super(cls, cls), name, None)
            function = getattr(method, "__func__", method)
            if callable(function) and described is not None and function.__doc__ is None:
                function.__doc__ = described.__doc__

    def ask(self, *args: Any, **kwargs: Any) -> Any:
        """Asks Payman's agent something, or to do something, and returns its answer.

        An ask happens once. The client sends it again if the server did not take it. If it may have arrived, the client looks it
        up first, and sends it again only if the agent does not know it.

        Args:
            text: What the agent should do, in plain words.
            options: The keywords below as a dict; a keyword wins over the dict. See `AskOptions`.
            raw: Whether to return the JSON-RPC answer as it came, and to call `on_message` with such; so does
                `output_format='json'`.
            response_format: What the answer is to be read as: a TypedDict, a dataclass, an attrs class, a pydantic model, or a JSON
                Schema of an object. The agent is asked for one JSON object [P]; `response.parsed` is what was made of it, or None
                with the reason in `response.parse_error`. With an idempotency key, the format is a part of the text.
            output_format: `json` means the same as `raw=True`.
            on_message: Called with every event as it comes, for the answer is streamed then. What it raises stops the stream and comes
                out unchanged; the task goes on.
            idempotency_key: A name for the operation, such as `invoice-42`: an ask with the same key is the same task, from any process.
            key_store: Where the use of the key is recorded, a file of this user by default.
            new_session: Whether to start a new session with this ask; the client stays in it.
            metadata: Sent with the task.
            message_metadata: Sent with the message of the task.
            part_metadata: Sent with the text part of the message.
            timeout: Seconds for the whole ask; like all that follows, the client's setting by default, 300.
            read_timeout: Seconds that one attempt may take to be answered, 60.
            idle_timeout: Seconds without an event after which a stream counts as broken, 60.
            max_retries: How often an ask that did not arrive is sent again, 2.
            settle_time: Seconds that the agent must not know the task before an ask that may have arrived is sent again, 30.
            resend: `never` forbids a second send of an ask that may have arrived; `after_settling`.
            on_retry: Called before each repetition with a `RetryDetails`.
            before_send: Called with an `OutgoingAsk` before it is sent; what it raises keeps it from being sent.
            on_task: Called with a `TaskStateChange` when the task changes state.
            raise_on_failure: Whether to raise a `TaskFailedError` where the task ends without success.
            extra_headers: Headers to send with the requests of this ask; the SDK's own are refused.

        Raises:
            ConfigurationError: The text or an option is unusable; nothing was sent.
            APIConnectionError: Payman could not be reached; nothing was sent.
            AuthenticationError: Payman gave no token for these credentials; nothing was done.
            APIStatusError: Payman refused; nothing was done.
            AgentError: The agent answered with an error.
            ResponseValidationError: The answer to the request for a token cannot be read; nothing was sent.
            OutcomeUnknownError: The outcome is undetermined; call `get_task`.
            StreamInterruptedError: As `OutcomeUnknownError`, after a part of the answer came.
            IdempotencyKeyReuseError: The key was used with another text; nothing was sent.
            TaskFailedError: With `raise_on_failure`: the task ended without success.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     response = client.ask("send 10 TSD to Test Payee", metadata={"source": "docs"})
            ...     print(response.status, response["sessionId"] == client.get_session_id())
            completed True
        """

    def stream(self, *args: Any, **kwargs: Any) -> Any:
        """Asks, and gives the answer as it comes; the request is sent when the `with` block begins.

        A broken stream resumes where it broke, or `get_task` follows the task; no event is repeated.

        Args:
            text: What the agent should do, in plain words.
            options: The other keywords as a dict, see `StreamOptions`; a keyword wins. They mean what they mean for `ask`.

        Raises:
            ConfigurationError: The text or an option is unusable; nothing was sent.
            StreamInterruptedError: While reading: it broke, and could neither be resumed nor followed.
            PaymanError: While reading: as for `ask`.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     with client.stream("send 10 TSD to Test Payee") as stream:
            ...         text = "".join(stream.text_stream)
            ...         print(text == stream.result().text)
            True
        """

    def reply(self, *args: Any, **kwargs: Any) -> Any:
        """Answers a task that waits for input, such as a payment that waits for approval, and returns how it goes on.

        Args:
            task: The answer that says `requires_input`, or the id of its task.
            text: What to say to the agent, such as `approve`.
            options: The other keywords as a dict, see `ReplyOptions`; a keyword wins. They mean what they mean for `ask`.

        Raises:
            PaymanError: As for `ask`.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     response = client.ask("send 200 TSD to Test Payee")
            ...     print(response.requires_input, client.reply(response, "approve").status)
            True completed
        """

    def get_task(self, *args: Any, **kwargs: Any) -> Any:
        """Return the state of a task, such as one that waited for approval or whose answer was lost [P].

        Args:
            task: The id of the task, `response.task_id` or `error.task_id`; or the answer itself.

        Raises:
            TaskNotFoundError: The agent knows no such task: it never arrived.
            PaymanError: As for `ask`.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     task_id = client.ask("list all wallets").task_id
            ...     print(client.get_task(task_id).status)
            completed
        """

    def wait(self, *args: Any, **kwargs: Any) -> Any:
        """Wait until a task that works or waits for a person has ended, and return the outcome [P].

        Asks again and again, in growing intervals of up to 5 seconds; short network failures are retried.

        Args:
            task: The answer that says `in_progress`, or the id of its task.
            timeout: Seconds to wait, the client's `timeout` by default.

        Raises:
            APITimeoutError: It had not ended in time.
            TaskNotFoundError: The agent knows no such task.
            PaymanError: The look-up failed, so its state is unknown.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     response = client.ask("send 200 TSD to Test Payee")
            ...     payment = sandbox.approve(response.task_id)
            ...     print(response.status, client.wait(response, timeout=10).status)
            in_progress completed
        """

    def cancel_task(self, *args: Any, **kwargs: Any) -> Any:
        """Cancel a task that has not ended, and return its state [P].

        Args:
            task: The answer, or the id of its task.

        Raises:
            TaskNotCancelableError: It has ended already.
            TaskNotFoundError: The agent knows no such task.
            PaymanError: As for `ask`.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     response = client.ask("send 200 TSD to Test Payee")
            ...     print(client.cancel_task(response).state, sandbox.balance("TSD"))
            canceled 1000.00
        """


class ClientInterface(CallInterface):
    """What a client has beside that, and the two kinds do differently."""

    @classmethod
    def with_auth_code(cls, *args: Any, **kwargs: Any) -> Any:
        """Return a client that acts for the person who authorized the application: the authorization code grant [D].

        The code is exchanged at once, because codes live shortly. The refresh token that comes with it is kept, and gets the
        next access token by itself.

        Args:
            config: The settings as a dict, with `client_id` at least, and `client_secret` where the application has one.
            auth_code: The code that came to the redirect URI; see `parse_redirect`.
            redirect_uri: The redirect URI of the authorization request, where the server wants it again [P].
            code_verifier: The PKCE verifier of the authorization request, if there was one [P].
            http_client: An httpx client to use instead of one of the client's own.
            token_store: Where the tokens are kept, to share them between processes; what was in it is replaced.

        The other keywords are settings, as of the client; a keyword wins over the dict.

        Raises:
            ConfigurationError: A setting is missing, unknown or unusable; nothing was sent.
            AuthenticationError: Payman refused the code.
            PaymanError: The exchange failed; the code may be spent.
        """

    def conversation(self, *args: Any, **kwargs: Any) -> Any:
        """Return a conversation with a new session, on this client's connections and token.

        It costs nothing: a web service keeps one client, and makes a conversation for every visitor.

        Args:
            session_id: A session to resume (`ses-…`); a new one is made without it.

        Raises:
            ConfigurationError: The session id is not a string, or is blank.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     conversation = client.conversation()
            ...     print(conversation.ask("Hello!").session_id == client.get_session_id())
            False
        """

    def get_access_token(self, *args: Any, **kwargs: Any) -> Any:
        """Return the access token that is valid now and the seconds it still lives; fetched or renewed if need be.

        Keep it as carefully as a password.

        Returns:
            `{'accessToken', 'expiresIn'}`, None without a valid token and a way to get one.

        Raises:
            AuthenticationError: Payman refused.
            PaymanError: It could not be fetched or renewed.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     print(sorted(client.get_access_token()))
            ['accessToken', 'expiresIn']
        """

    def close(self, *args: Any, **kwargs: Any) -> Any:
        """Close the client's connections; doing it twice is harmless. A given `http_client` stays open."""
