"""Keeping secrets out of what people and programs read by accident."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, NoReturn, Self, cast

_MASK: Final = "…"
"""What reads as the text of every secret. No header carries it, so it is never sent in the place of the secret by mistake."""

_MOST_REMEMBERED: Final = 256 * 1024
"""How many characters of secrets are remembered; a service with many persons' tokens must not grow without end."""


class SecretStr(str):
    """A string that reads as `…`, whoever reads it; only `reveal` returns the secret.

    The secret is stored beside the text. So code that reads the text directly (`"".join`, `json`, `re`, `%`, a file's `write`)
    gets the mask too. Operations that cut or change a secret (slices, `strip`, `lower`, `+`) return another `SecretStr`. It
    equals, and hashes like, the text of the secret. It cannot be pickled.
    """

    __slots__ = ("_plain",)

    _plain: Callable[[], str]

    def __new__(cls, value: str = "") -> Self:
        """Hold a text; of a secret, the text it holds."""
        secret = super().__new__(cls, _MASK if str.__len__(value) else "")
        secret._plain = value._plain if isinstance(value, SecretStr) else _hide_text(str.__str__(value))
        return secret

    def reveal(self) -> str:
        """Return the text of the secret."""
        return self._plain()

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return bool(self._plain() == _unwrap(other))

    def __ne__(self, other: object) -> bool:
        return bool(self._plain() != _unwrap(other))

    def __hash__(self) -> int:
        return hash(self._plain())

    def __iter__(self) -> Iterator[Self]:
        return iter([type(self)(sign) for sign in self._plain()])

    def __radd__(self, before: object) -> Self:
        if not isinstance(before, str):
            return NotImplemented
        return type(self)(_unwrap(before) + self._plain())

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


def _hide_text(text: str) -> Callable[[], str]:
    """Return a function that gives a text, and shows nothing to whoever looks through attributes."""
    return lambda: text


def _unwrap(value: Any) -> Any:
    return value.reveal() if isinstance(value, SecretStr) else value


def _wrap_method(name: str) -> Callable[..., Any]:
    """Return a method of `str` that works on the text of a secret, and wraps the strings that it returns."""
    operation: Callable[..., Any] = getattr(str, name)

    def wrapper(self: SecretStr, *given: Any, **named: Any) -> Any:
        return _wrap_result(operation(_unwrap(self), *map(_unwrap, given), **named))

    wrapper.__name__ = name
    return wrapper


def _wrap_result(result: Any) -> Any:
    if isinstance(result, str):
        return SecretStr(result)
    if isinstance(result, list | tuple):
        parts = map(SecretStr, cast("list[str]", result))
        return list(parts) if isinstance(result, list) else tuple(parts)
    return result


# What is not named here works on the mask, as `str` has it, so a method that a later Python adds gives nothing away either.
for _name in (
    *("__add__", "__contains__", "__getitem__", "__len__", "__mod__", "__mul__", "__rmul__"),
    *("capitalize", "casefold", "lower", "swapcase", "title", "upper"),
    *("center", "expandtabs", "ljust", "rjust", "zfill"),
    *("lstrip", "removeprefix", "removesuffix", "replace", "rstrip", "strip"),
    *("partition", "rpartition", "rsplit", "split", "splitlines"),
    *("count", "endswith", "find", "index", "rfind", "rindex", "startswith"),
    *("isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier"),
    *("islower", "isnumeric", "isprintable", "isspace", "istitle", "isupper"),
):
    setattr(SecretStr, _name, _wrap_method(_name))


class SentSecrets:
    """The secrets that servers know of, the one used last at the end. It has no lock, which a fork could leave held."""

    def __init__(self) -> None:
        self.changes = self.times_cleared = 0
        self._secrets: dict[SecretStr, None] = {}
        self._characters = 0
        self._newest: SecretStr | None = None

    def add(self, secret: SecretStr | None) -> None:
        """Note a secret that a server knows of, so that it is redacted wherever the server repeats it."""
        secrets = self._secrets
        # The mask shows whether it is empty, and most requests carry the same token as the one before.
        if secret is None or not str.__len__(secret) or secret is self._newest:
            return
        self._newest = secret
        if secret in secrets:
            secrets.pop(secret, None)
            secrets[secret] = None
            return
        secrets[secret] = None
        self.changes += 1
        self._characters += len(secret)
        if self._characters > _MOST_REMEMBERED:
            self._forget_oldest()

    def values(self) -> list[SecretStr]:
        """All of them."""
        return list(self._secrets)

    def get_latest(self, count: int) -> list[SecretStr]:
        """So many of them, the one used last first."""
        try:
            return list(islice(reversed(self._secrets), count))
        except RuntimeError:  # another thread has added one
            return self.values()[: -count - 1 : -1]

    def clear(self) -> None:
        """Forget them."""
        self._newest = None
        self._secrets.clear()
        self._characters = 0
        self.times_cleared += 1
        self.changes += 1

    def _forget_oldest(self) -> None:
        left = self.values()
        self._characters = sum(map(len, left))
        for secret in left[:-1]:
            if self._characters <= _MOST_REMEMBERED * 3 // 4:  # so that this is done rarely
                break
            self._secrets.pop(secret, None)
            self._characters -= len(secret)


sent_secrets: Final = SentSecrets()


def reveal_for_wire(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the headers or parameters of a request as they are sent; their secrets are noted."""
    sent: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, SecretStr):
            plain = value.reveal()
            sent_secrets.add(SecretStr(plain[6:]) if plain.startswith("Basic ") else value)
            value = plain
        sent[name] = value
    return sent


def build_basic_credentials(client_id: str, client_secret: SecretStr) -> SecretStr:
    """Return the value of a Basic header (RFC 7617)."""
    sent_secrets.add(client_secret)
    pair = f"{client_id}:{client_secret.reveal()}".encode()
    import base64

    return SecretStr(f"Basic {base64.b64encode(pair).decode()}")


_SECRET_HEADER = re.compile(
    "assertion|auth|cookie|credential|jwt|key|mnemonic|pass|phrase|pwd|secret|session|sign|token",
    re.IGNORECASE,
)


def is_secret_header(name: str) -> bool:
    """Whether the name of a header suggests that its value opens something."""
    return _SECRET_HEADER.search(name) is not None


_HARMLESS = frozenset(
    {"client_id", "environment", "base_url", "name", "session_id", "resend", "verify", "allow_http_hosts"}
    | {"connect_timeout", "read_timeout", "timeout", "idle_timeout", "max_retries", "settle_time"}
    | {"max_answer_bytes", "max_event_bytes"}
)
_HEADERS = frozenset({"default_headers", "extra_headers"})


def wrap_secrets(given: Any) -> Any:
    """Return a copy of a mapping whose texts, but for harmless ones, show nothing in a `repr`; nothing but the type of anything else.

    Public functions replace their arguments with it before anything can fail. So the locals in a traceback of the SDK hold no
    readable secret.
    """
    if not isinstance(given, Mapping):
        return _blank_out(given)
    members = cast("Mapping[str, Any]", given)
    return {key: _wrap_member(key, value) for key, value in members.items()}


def _wrap_member(key: str, value: Any) -> Any:
    if key in _HEADERS and isinstance(value, Mapping):
        headers = cast("Mapping[str, Any]", value)
        return {name: to_secret(text) for name, text in headers.items()}
    return value if key in _HARMLESS else to_secret(value)


def to_secret(value: Any) -> Any:
    """Wrap a text as a secret; of a value of a wrong type that might hold one, keep only the type."""
    return SecretStr(value) if isinstance(value, str) else _blank_out(value)


def _blank_out(value: Any) -> Any:
    return type(value)() if type(value) in {str, bytes, bytearray, tuple, list, set, dict} else value
