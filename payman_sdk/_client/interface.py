"""Every method of a client and of a conversation, described: both kinds inherit the descriptions, and write the signatures out.

`typed_interface.py` has payments and lists.
"""

from __future__ import annotations

from typing import Any


class CallInterface:
    """The calls of a session. `SyncMethods` and `AsyncMethods` implement them."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name, method in vars(cls).items():
            # Editors find an inherited description; what reads `__doc__`, such as LangChain, does not look for one.
            described = getattr(super(cls, cls), name, None)
            function = getattr(method, "__func__", method)
            if callable(function) and described is not None and function.__doc__ is None:
                function.__doc__ = described.__doc__

    def ask(self, *args: Any, **kwargs: Any) -> Any:
        """Ask Payman's agent in words, and return its answer.

        An ask happens once. The client sends it again if the server did not take it. If it may have arrived, the client looks it
        up first, and sends it again only if the agent does not know it.

        Args:
            text: What the agent should do, in plain words.
            options: The keywords below as a dict; a keyword overrides the dict. See `AskOptions`.
            raw: Whether to return the unchanged JSON-RPC answer, and pass such to `on_message`. `output_format='json'` does the same.
            response_format: The type of the answer: a TypedDict, a dataclass, an attrs class, a pydantic model, or a JSON Schema
                of an object. The client asks the agent for one JSON object [P]. `response.parsed` is the result, or None with the
                reason in `response.parse_error`. For an idempotency key, the format is a part of the text.
            output_format: `json` means the same as `raw=True`.
            on_message: Called with every event; the answer is streamed then. Its exceptions stop the stream and pass unchanged,
                and the task continues.
            idempotency_key: A name for the operation, such as `invoice-42`. Asks with the same key are one task, in any process
                of this machine.
            key_store: The store that records the use of the key. The default is a file of this user.
            new_session: Whether to start a new session with this ask; the client stays in it.
            metadata: Sent with the task.
            message_metadata: Sent with the message of the task.
            part_metadata: Sent with the text part of the message.
            timeout: Seconds for the whole ask, 300. The default of this and the following options is the client's setting.
            read_timeout: Seconds until one attempt must be answered, 60.
            idle_timeout: Seconds without an event after which a stream counts as broken, 60.
            max_retries: How often an ask that did not arrive is sent again, 2.
            settle_time: Seconds of look-ups before an ask that may have arrived is sent again, 30.
            resend: `never` forbids a second send of an ask that may have arrived. The default is `after_settling`.
            on_retry: Called with a `RetryDetails` before each retry.
            before_send: Called with an `OutgoingAsk` before the ask is sent. Its exceptions block the ask.
            on_task: Called with a `TaskStateChange` when the task changes state.
            raise_on_failure: Whether to raise `TaskFailedError` if the task ends without success.
            extra_headers: Headers to send with the requests of this ask; the SDK's own are refused.

        Raises:
            ConfigurationError: The text or an option is invalid. Nothing was sent.
            APIConnectionError: Payman could not be reached; nothing was sent.
            AuthenticationError: Payman issued no token, or refused it; see `error.sent`.
            APIStatusError: Payman refused, or turned the ask away; see `error.sent`.
            AgentError: The agent answered with an error.
            ResponseValidationError: The answer to the token request is unreadable. Nothing was sent.
            OutcomeUnknownError: The outcome is undetermined; call `get_task`.
            StreamInterruptedError: Like `OutcomeUnknownError`, after a part of the answer has arrived.
            IdempotencyKeyReuseError: The key was used with another text. Nothing was sent now.
            TaskFailedError: With `raise_on_failure`: the task ended without success.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     response = client.ask("send 10 TSD to Test Payee", metadata={"source": "docs"})
            ...     print(response.status, response["sessionId"] == client.get_session_id())
            completed True
        """

    def stream(self, *args: Any, **kwargs: Any) -> Any:
        """Ask, and stream the answer. The `with` block sends the request when it begins.

        The client resumes a broken stream where it stopped, or follows the task with `get_task`. It repeats no event.

        Args:
            text: What the agent should do, in plain words.
            options: The other keywords as a dict, see `StreamOptions`; a keyword overrides the dict.

        Raises:
            ConfigurationError: The text or an option is invalid. Nothing was sent.
            StreamInterruptedError: While reading: the stream broke and could neither be resumed nor followed.
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
        """Reply to a task that waits for input, such as a payment that waits for approval, and return the answer.

        Args:
            task: The answer or payment that waits, or the id of its task.
            text: The reply, such as `approve`.
            options: The other keywords as a dict, see `ReplyOptions`; a keyword overrides the dict.

        Raises:
            TaskNotFoundError: The agent does not know the task. Nothing was sent.
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
            task: The id of the task; or the answer, payment or error that has it.

        Raises:
            TaskNotFoundError: The agent does not know the task now. While an ask may still arrive, that proves nothing.
            PaymanError: As for `ask`.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     task_id = client.ask("list all wallets").task_id
            ...     print(client.get_task(task_id).status)
            completed
        """

    def wait(self, *args: Any, **kwargs: Any) -> Any:
        """Wait until a task has ended, and return the outcome [P]. The task may be working or wait for a person.

        The client looks the task up repeatedly, with pauses of up to 5 seconds, and survives short network failures.

        Args:
            task: The answer whose status is `in_progress`, the payment, or the id of its task.
            timeout: Seconds to wait, the client's `timeout` by default.

        Raises:
            APITimeoutError: The task has not ended in time.
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
            task: The answer, the payment, or the id of its task.

        Raises:
            TaskNotCancelableError: The task has already ended.
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
    """The methods of a client that its conversations do not have."""

    @classmethod
    def with_auth_code(cls, *args: Any, **kwargs: Any) -> Any:
        """Return a client that acts for the person who authorized the application: the authorization code grant [D].

        The client exchanges the code at once, because codes expire quickly. It keeps the refresh token and renews the access token with it.

        Args:
            config: The settings as a dict, with `client_id` at least, and `client_secret` where the application has one.
            auth_code: The code from the redirect URI; see `parse_redirect`.
            redirect_uri: The redirect URI of the authorization request, if the server requires it again [P].
            code_verifier: The PKCE verifier of the authorization request, if there was one [P].
            http_client: An httpx client to use instead of one of the client's own.
            token_store: The token store, to share tokens between processes. Its content is replaced.

        The other keywords are the settings of `PaymanConfig`; a keyword overrides the dict.

        Raises:
            ConfigurationError: A setting is missing, unknown or invalid. Nothing was sent.
            AuthenticationError: Payman refused the code.
            PaymanError: The exchange failed. The code may be spent.

        Example:
            >>> from payman_sdk import PaymanClient
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox:
            ...     config = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret, "base_url": sandbox.base_url}
            ...     with PaymanClient.with_auth_code(config, sandbox.issue_code()) as client:
            ...         print(client.ask("list all wallets").status)
            completed
        """

    def conversation(self, *args: Any, **kwargs: Any) -> Any:
        """Return a conversation with a new session, on this client's connections and token.

        It is cheap: a web service keeps one client, and creates a conversation for every visitor.

        Args:
            session_id: A session to resume (`ses-…`). The default is a new session.

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
        """Return a valid access token and the seconds until it expires. The client fetches or renews it if necessary.

        Keep it as carefully as a password.

        Returns:
            `{'accessToken', 'expiresIn'}`, or None without a valid token and the means to get one.

        Raises:
            AuthenticationError: Payman refused.
            PaymanError: The token could not be fetched or renewed.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     print(sorted(client.get_access_token()))
            ['accessToken', 'expiresIn']
        """

    def close(self, *args: Any, **kwargs: Any) -> Any:
        """Close the client's connections. Closing twice is harmless. A given `http_client` stays open."""
