"""What typed calls are given, checked: the same for both kinds of clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from payman_sdk._client.session import BaseSession, RunnerT
from payman_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from payman_sdk._core.payment_flows import Call
    from payman_sdk._core.response_format import ResponseFormat


class TypedSession(BaseSession[RunnerT]):
    """A session in which typed calls are made."""

    def _read_format(
        self, text: str, given: Any, options: Any, keywords: Mapping[str, Any], *, raw: bool
    ) -> ResponseFormat[Any] | None:
        """Read the format that an ask is to be answered in; None without one.

        Raises:
            ConfigurationError: It is unusable, or the answer is wanted as it came; nothing was sent.
        """
        if given is None:
            return None
        from payman_sdk._core.options import check_text, read_options
        from payman_sdk._core.response_format import read_response_format

        check_text(text)
        if raw or read_options(options, keywords).get("output_format") == "json":
            raise ConfigurationError(
                "response_format reads the answer, and raw=True returns it as it came.",
                next_step="Leave one of the two out.",
            )
        return read_response_format(given)

    def _pay_call(
        self, keywords: Mapping[str, Any], on_event: Callable[[Any], Any] | None, verify: object
    ) -> Call:
        from payman_sdk._core.payment_types import PayOptions

        return self._call("pay", PayOptions, keywords, on_event, verify)

    def _settle_call(
        self, what: str, keywords: Mapping[str, Any], on_event: Callable[[Any], Any] | None, verify: object
    ) -> Call:
        from payman_sdk._core.payment_types import SettleOptions

        return self._call(what, SettleOptions, keywords, on_event, verify)

    def _read_call(self, what: str, keywords: Mapping[str, Any], verify: object = True) -> Call:
        from payman_sdk._core.payment_types import ReadOptions

        return self._call(what, ReadOptions, keywords, None, verify)

    def _create_call(self, keywords: Mapping[str, Any]) -> Call:
        from payman_sdk._core.payment_types import PayOptions

        return self._call("create_payee", PayOptions, keywords, None, True)

    def _call(
        self,
        what: str,
        options: Any,
        keywords: Mapping[str, Any],
        on_event: Callable[[Any], Any] | None,
        verify: object,
    ) -> Call:
        """Check the options of a call.

        Raises:
            ConfigurationError: One is unknown or unusable; nothing was sent.
        """
        from payman_sdk._config import check_hook
        from payman_sdk._core.options import read_options
        from payman_sdk._core.payment_flows import Call

        given = read_options(None, keywords, options.__required_keys__ | options.__optional_keys__, what)
        if not isinstance(verify, bool):
            raise ConfigurationError(f"verify is {verify!r}."[:200], next_step="Use True or False.")
        check_hook(on_event, "on_event")
        self._check_hooks({"on_event": on_event})
        asked = self._build_call(given, False)
        return Call(asked.session_id, asked.options, on_event, verify)
