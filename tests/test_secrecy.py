"""Whatever a program does to a secret as a text, by accident or in a library, gives nothing of it away."""

from __future__ import annotations

import copy
import csv
import io
import json
import logging
import pickle
import pprint
import re
import reprlib
import shlex
import string
import textwrap
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from rich.console import Console
from rich.pretty import pretty_repr

from payman_sdk._secrets import (
    SecretStr,
    build_basic_credentials,
    reveal_for_wire,
    sent_secrets,
    wrap_secrets,
)

PLAIN = "Zq7!xW3$" * 20
"""Signs of which no two stand together in anything else here."""
SECRET = SecretStr(PLAIN)


def _printed(write: Callable[[io.StringIO], object]) -> str:
    out = io.StringIO()
    write(out)
    return out.getvalue()


OPERATIONS: dict[str, Callable[[SecretStr], Any]] = {
    "the first half": lambda s: s[:80],
    "one sign": lambda s: s[0] + s[1],
    "every other": lambda s: s[::2],
    "backwards": lambda s: s[::-1],
    "a slice by str": lambda s: str.__getitem__(s, slice(0, 80)),
    "lower": lambda s: s.lower(),
    "upper by str": lambda s: str.upper(s),
    "title": lambda s: s.title(),
    "swapcase": lambda s: s.swapcase(),
    "casefold": lambda s: s.casefold(),
    "str": str,
    "str by str": lambda s: str.__str__(s),
    "repr": repr,
    "ascii": ascii,
    "an f-string": lambda s: f"{s}",
    "an f-string with text": lambda s: f"Bearer {s}!",
    "an f-string with a width": lambda s: f"{s:>200}",
    "an f-string with a precision": lambda s: f"{s:.20}",
    "an f-string with a conversion": lambda s: f"{s!s} {s!r} {s!a}",
    "an f-string with its name": lambda s: f"{s=}",
    "format": lambda s: "{} {:^10} {!r}".format(s, s, s),  # noqa: UP032
    "format by an item": lambda s: "{0[0]}{0[1]}".format(s),  # noqa: UP032
    "format_map": lambda s: "{token}".format_map({"token": s}),
    "format of itself": lambda s: s.format(1),
    "the format function": lambda s: format(s, "200"),
    "percent": lambda s: "%s" % s,  # noqa: UP031
    "percent with a tuple": lambda s: "%s and %.9s" % (s, s),  # noqa: UP031
    "percent with a dict": lambda s: "%(a)s %(a)r" % {"a": s},  # noqa: UP031
    "percent of bytes": lambda s: b"%a" % s,
    "plus": lambda s: s + "",
    "plus before": lambda s: "Bearer " + s,
    "plus in place": lambda s: _added(s),
    "plus by str": lambda s: str.__add__("a", s) + str.__add__(s, "b"),
    "times": lambda s: s * 2,
    "times before": lambda s: 2 * s,
    "join": lambda s: "".join([s]),
    "join of several": lambda s: "-".join(["a", s, "b"]),
    "join of its signs": lambda s: "".join(s),
    "join by it": lambda s: s.join(["a", "b"]),
    "encode": lambda s: s.encode(),
    "encode by str": lambda s: str.encode(s, "utf-16"),
    "bytes": lambda s: bytes(s, "utf-8"),
    "bytearray": lambda s: bytearray(s, "latin-1", "replace"),
    "translate": lambda s: s.translate({33: "?"}),
    "replace": lambda s: s.replace("!", "?"),
    "split": lambda s: s.split("!"),
    "rsplit": lambda s: s.rsplit("$", 1),
    "splitlines": lambda s: s.splitlines(),
    "partition": lambda s: s.partition("!"),
    "rpartition": lambda s: s.rpartition("$"),
    "strip": lambda s: s.strip("Z$"),
    "lstrip": lambda s: s.lstrip("Z"),
    "removeprefix": lambda s: s.removeprefix("Zq"),
    "removesuffix": lambda s: s.removesuffix("$"),
    "expandtabs": lambda s: s.expandtabs(),
    "zfill": lambda s: s.zfill(300),
    "ljust": lambda s: s.ljust(300) + s.rjust(300) + s.center(300),
    "iteration": list,
    "iteration by str": lambda s: list(str.__iter__(s)),
    "unpacking": lambda s: [*s],
    "enumerate": lambda s: list(enumerate(s)),
    "reversed": lambda s: list(reversed(s)),
    "sorted": sorted,
    "zip": lambda s: list(zip(s, s, strict=True)),
    "map": lambda s: list(map(str, s)),
    "max and min": lambda s: [max(s), min(s)],
    "a set of its signs": lambda s: sorted(map(repr, set(s))),
    "a dict by it": lambda s: repr({s: s}),
    "print": lambda s: _printed(lambda out: print(s, [s], file=out)),
    "write": lambda s: _printed(lambda out: out.write(s)),
    "writelines": lambda s: _printed(lambda out: out.writelines([s])),
    "csv": lambda s: _printed(lambda out: csv.writer(out).writerow([s, s])),
    "json": lambda s: json.dumps({"token": s, s: 1}),
    "json in Python": lambda s: json.JSONEncoder(indent=1).encode([s]),
    "pprint": lambda s: pprint.pformat({"token": s}, width=20),
    "reprlib": lambda s: reprlib.repr([s]),
    "rich": lambda s: pretty_repr({"token": s}, max_string=20),
    "rich printed": lambda s: _printed(lambda out: Console(file=out, width=50).print(s, [s])),
    "re.sub": lambda s: re.sub("!", "?", s),
    "re.findall": lambda s: re.findall("..", s),
    "re.escape": re.escape,
    "re.split": lambda s: re.split("!", s),
    "textwrap": lambda s: [*textwrap.wrap(s, 10), textwrap.shorten(s, 20), textwrap.indent(s, " ")],
    "a template": lambda s: string.Template("$a").substitute(a=s),
    "capwords": string.capwords,
    "quote": lambda s: [quote(s), quote(s, safe="")],
    "urlencode": lambda s: urlencode({"code": s}),
    "shlex": lambda s: [shlex.quote(s), shlex.join([s])],
    "copy": lambda s: [copy.copy(s), copy.deepcopy([s])],
    "attributes": lambda s: [getattr(s, name) for name in dir(s) if name not in {"__doc__", "__class__"}],
    "its state": lambda s: [s.__getnewargs__(), object.__getstate__(s)],
    "a log record": lambda s: logging.makeLogRecord({"msg": "%s", "args": (s,)}).getMessage(),
    "an exception": lambda s: [str(KeyError(s)), repr(ValueError(s)), str(OSError(5, s))],
}


def _added(secret: str) -> str:
    secret += ""
    return secret


def _read(result: Any) -> str:
    """All that can be read of a result."""
    if isinstance(result, list | tuple | dict):
        return "".join(_read(part) for part in (result.items() if isinstance(result, dict) else result))
    return f"{result}{result!r}" + (result.decode("utf-16", "replace") if isinstance(result, bytes) else "")


def test_no_operation_on_a_secret_gives_it_away() -> None:
    """Slices, case, formatting, joining, encoding, iteration, serializers and printers show a mask, or are secrets still."""
    pairs = {PLAIN[at : at + 2] for at in range(8)}
    for name, operation in OPERATIONS.items():
        said = _read(operation(SECRET))
        found = [pair for pair in pairs if pair.lower() in said.lower()]
        assert not found, f"{name} shows {found}"
        assert said.count("$") < 20, f"{name} shows signs: {said[:200]}"


def test_no_method_of_str_gives_it_away() -> None:
    """Each that this Python has, called on the secret and by way of `str`: what nobody listed works on the mask."""
    given: list[tuple[Any, ...]] = [(), ("!",), ("!", "?"), (1,), (300,), ({},), (slice(5),), ([],), (4, "?")]
    called = 0
    for name in dir(str):
        if name in {
            "__class__",
            "__new__",
            "__init_subclass__",
            "__subclasshook__",
            "__setattr__",
            "__doc__",
        }:
            continue
        for arguments in given:
            for method in (getattr(SECRET, name), getattr(str, name)):
                try:
                    result = (
                        method(*arguments) if method is not getattr(str, name) else method(SECRET, *arguments)
                    )
                except (TypeError, ValueError, AttributeError, LookupError):
                    continue
                called += 1
                said = (
                    "" if isinstance(result, int) else _read(list(result) if name == "__iter__" else result)
                )
                assert "q7" not in said.lower(), (name, arguments)
    assert called > 150


def test_a_secret_is_what_it_means_where_it_must_be() -> None:
    """It equals, hashes, counts and is cut like its text, by which it is found; `reveal` gives it."""
    assert SECRET.reveal() == PLAIN == SECRET
    assert SECRET == PLAIN
    assert SECRET != "…"
    by_secret: dict[str, int] = {SECRET: 1}
    assert {PLAIN: 1}[SECRET] == by_secret[PLAIN] == 1
    assert PLAIN in {SECRET: 1}
    assert (len(SECRET), bool(SECRET), bool(SecretStr()), bool(SecretStr(""))) == (160, True, False, False)
    assert ("7!x" in SECRET, "7?x" in SECRET, SECRET.startswith("Zq"), SECRET.isascii()) == (
        True,
        False,
        True,
        True,
    )
    cut = [
        SECRET[:3],
        SECRET.lower(),
        "Bearer " + SECRET,
        SECRET + "!",
        SECRET.strip("Z$"),
        SECRET.partition("!")[2],
    ]
    texts = [
        PLAIN[:3],
        PLAIN.lower(),
        f"Bearer {PLAIN}",
        f"{PLAIN}!",
        PLAIN.strip("Z$"),
        PLAIN.partition("!")[2],
    ]
    assert [type(part) for part in cut] == [SecretStr] * 6
    assert [SecretStr(part).reveal() for part in cut] == texts
    assert SecretStr(SECRET).reveal() == PLAIN


def test_a_secret_is_not_pickled() -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError):
            pickle.dumps(SECRET, protocol)
        with pytest.raises(TypeError):
            pickle.dumps({"token": [SECRET]}, protocol)


def test_locals_in_tracebacks_show_no_secret() -> None:
    """Whatever prints the locals of a frame: Python, rich (which cuts long texts by slicing them)."""

    def failing(token: str) -> None:
        shortened, upper, held = token[:80], token.upper(), {"token": [token]}
        raise ValueError(len(shortened + upper) + len(held))

    try:
        failing(SECRET)
    except ValueError as error:
        reported = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
        reported += pretty_repr(error.__traceback__.tb_next.tb_frame.f_locals, max_string=30)  # type: ignore[union-attr]
    assert "shortened" in reported
    assert "Zq7" not in reported


def test_only_what_goes_on_the_wire_is_revealed_and_noted() -> None:
    """Headers and parameters are revealed in one place, which notes what has to be redacted from then on."""
    secret, header = SecretStr("hunted-secret"), build_basic_credentials("an-id", SecretStr("hunted-client"))
    sent = reveal_for_wire({"X-Token": secret, "Authorization": header, "Accept": "text/plain"})
    assert sent == {"X-Token": "hunted-secret", "Authorization": header.reveal(), "Accept": "text/plain"}
    assert all(type(value) is str for value in sent.values())
    assert sent_secrets.values() == ["hunted-client", "hunted-secret", header.reveal().removeprefix("Basic ")]


def test_what_is_noted_is_bounded() -> None:
    """A service with the tokens of a million people remembers those that it used last."""
    for number in range(10_000):
        sent_secrets.add(SecretStr(f"token-of-one-person-{number:044d}"))
    kept = sent_secrets.values()
    assert 2_500 < len(kept) < 4_500
    assert kept[-1] == f"token-of-one-person-{9_999:044d}"
    assert sent_secrets.get_latest(2) == kept[:-3:-1]


def test_settings_are_concealed_before_anything_can_fail() -> None:
    config = wrap_secrets({"client_id": "x", "client_secret": PLAIN, "odd": [PLAIN], "base_url": "https://x"})
    assert (
        repr(config) == "{'client_id': 'x', 'client_secret': Secret(…), 'odd': [], 'base_url': 'https://x'}"
    )
