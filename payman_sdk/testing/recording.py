"""Cassettes of vcrpy that hold no secret, survive new ids, and show what differs.

It needs the extra `testing`: `pip install 'paymanai-sdk[testing]'`. Most programs use the fixture `payman_vcr_config` instead.

A cassette cannot replay a lost connection, because vcrpy records answers only.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast
from urllib.parse import urlsplit

from payman_sdk._refusals import refuse
from payman_sdk.testing._redaction.cassette import CassetteState, mark_as_from_file
from payman_sdk.testing._redaction.scrubber import Scrubber
from payman_sdk.testing._redaction.secret_names import KIND

_ENVIRONMENT: Final = {"client-id": "PAYMAN_CLIENT_ID", "client-secret": "PAYMAN_CLIENT_SECRET"}
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_SHOWN: Final = 12  # lines about what differs
_ENDLESS: Final = (
    1_000_000_000  # the width of a line of YAML: a folded one would change as a whole with each word
)


class SecretLeakError(Exception):
    """A cassette was not saved because something in it looks like a secret. The message shows no values.

    Args:
        path: The cassette.
        leaks: The findings with their places.
    """

    def __init__(self, path: Path, leaks: Iterable[str]) -> None:
        self.path = path
        self.leaks = [*leaks]
        super().__init__(path, self.leaks)

    def __str__(self) -> str:
        found = "".join(f"\n  {leak}" for leak in self.leaks)
        return (
            f"The cassette {self.path} was not saved, because secrets would be in it:{found}\n"
            "A secret is scrubbed wherever it appears once it was seen under its name, or if it is known beforehand: "
            "set PAYMAN_CLIENT_ID and PAYMAN_CLIENT_SECRET to what the test uses, or give it to Recorder(known=…). "
            'Then record again. If the recording mode removes the old file first, as pytest-recording\'s "rewrite" does, '
            "that one is gone: get it back from version control."
        )


class Recorder:
    """Settings for vcrpy: cassettes hold no secrets, and replay although ids and tokens are new.

    Create one for a session of pytest, or for a program that uses vcrpy itself. Call `begin` for each cassette, and use one
    cassette at a time.

    Args:
        recorded_against: What the head of a cassette says it was recorded against; without it, the hosts that answered.
        known: Kinds and values of secrets that are scrubbed wherever they appear, such as `("api-key", "…")`. The client's
            id and secret in the environment are among them.

    Raises:
        ConfigurationError: `known` holds something that is not a kind with its value.

    Example:
        >>> import vcr
        >>> recorder = Recorder()
        >>> recording = vcr.VCR(record_mode="none", **recorder.config())
        >>> recorder.begin(recording)
        >>> with recording.use_cassette("/nowhere/greeting.yaml") as cassette:
        ...     len(cassette)
        0
    """

    def __init__(self, *, recorded_against: str | None = None, known: Iterable[tuple[str, str]] = ()) -> None:
        self._recorded_against = recorded_against
        self._known = _read_known(known)
        self._tape = CassetteState(Scrubber(self._known))
        self._refusals = _SaveRefusals()

    def config(self) -> dict[str, Any]:
        """Return the settings for `vcr.VCR`, or for the fixture `vcr_config` of pytest-recording."""

        # Functions and not methods: pytest-recording copies the settings deeply, and a method with its object.
        def before_record_request(request: Any) -> Any:
            return self._tape.scrub_request(request)

        def before_record_response(response: dict[str, Any]) -> dict[str, Any]:
            return self._tape.scrub_response(response)

        return {
            "match_on": ["method", "path", "payman_nearest", "payman_body"],
            "before_record_request": before_record_request,
            "before_record_response": before_record_response,
            "decode_compressed_response": True,
            "custom_patches": ((self._refusals, "is_open", True),),
        }

    def begin(self, vcr: Any) -> None:
        """Prepare a `vcr.VCR` for its next cassette. A cassette with other settings is left as it is.

        Args:
            vcr: A `vcr.VCR` whose `use_cassette` is called next.
        """
        environment = [(kind, os.environ.get(name, "")) for kind, name in _ENVIRONMENT.items()]
        tape = self._tape = CassetteState(Scrubber([*self._known, *environment]))

        def payman_nearest(live: Any, recorded: Any) -> bool:
            return tape.is_nearest(live, recorded)

        def payman_body(live: Any, recorded: Any) -> None:
            # vcrpy shows its reader a matcher's name and what the AssertionError says.
            if found := tape.match_requests(live, recorded):
                raise AssertionError("\n".join([*found[:_SHOWN], *(["…"] if len(found) > _SHOWN else [])]))

        vcr.register_matcher("payman_nearest", payman_nearest)
        vcr.register_matcher("payman_body", payman_body)
        vcr.register_persister(_Persister(vcr.persister, tape, self._refusals, self._recorded_against))


def _read_known(known: object) -> list[tuple[str, str]]:
    """Return the kinds and values of secrets, checked. No value is repeated."""
    are_pairs = isinstance(known, Iterable) and not isinstance(known, str | bytes | Mapping)
    pairs = [*cast("Iterable[object]", known)] if are_pairs else [None]
    for pair in pairs:
        match pair:
            case [str(kind), str()] if KIND.fullmatch(kind):
                continue
            case _:
                fix = 'Give a list of kinds and values, such as ("api-key", "…"); a kind has small letters and hyphens.'
                refuse("known", "holds something that is not a kind with its value", fix)
    return cast("list[tuple[str, str]]", pairs)


class _SaveRefusals:
    """Raises at the end of a cassette that its saving was refused.

    vcrpy saves a cassette before it removes its patches, so an exception then would leave httpx patched. It removes
    `custom_patches` first, and the others too if that raises.
    """

    def __init__(self) -> None:
        self._open = 0
        self._pending: list[SecretLeakError] = []

    def refuse(self, error: SecretLeakError) -> None:
        """Raise when the cassette ends, or at once where vcrpy did not patch this object."""
        if not self._open:
            raise error
        self._pending.append(error)

    @property
    def is_open(self) -> bool:
        """Whether a cassette is in use: what vcrpy patches."""
        return self._open > 0

    @is_open.setter
    def is_open(self, is_open: bool) -> None:
        self._open += 1

    @is_open.deleter
    def is_open(self) -> None:
        self._open -= 1
        if self._pending:
            raise self._pending.pop()

    def __deepcopy__(self, memo: dict[int, Any]) -> _SaveRefusals:
        return self  # pytest-recording copies the settings deeply


class _Persister:
    """Wraps a persister of vcrpy: refuses to save a secret, and saves whole or not at all."""

    def __init__(
        self, persister: Any, tape: CassetteState, refusals: _SaveRefusals, recorded_against: str | None
    ) -> None:
        self._persister = persister
        self._tape = tape
        self._refusals = refusals
        self._recorded_against = recorded_against

    def load_cassette(self, cassette_path: Any, serializer: Any) -> Any:
        self._tape.is_loaded = True
        loaded = self._persister.load_cassette(cassette_path, serializer)
        for request in loaded[0]:
            mark_as_from_file(request)
        return loaded

    def save_cassette(self, cassette_path: Any, cassette_dict: dict[str, Any], serializer: Any) -> None:
        if not self._tape.is_used:
            self._persister.save_cassette(cassette_path, cassette_dict, serializer)
            return
        path = Path(cassette_path)
        responses = [
            {**response, "body": dict(response["body"])}
            if isinstance(response.get("body"), dict)
            else response
            for response in cassette_dict["responses"]
        ]
        # vcrpy has no types, and this is the one thing of it that is needed here.
        text: str = import_module("vcr.serialize").serialize(
            {**cassette_dict, "responses": responses},
            # YAML that is pleasant to compare: no folded lines, and texts of several lines as they are.
            SimpleNamespace(serialize=_dump_yaml) if _is_yaml(serializer) else serializer,
        )
        leaks = self._tape.scrubber.find_leaks(text)
        if leaks := leaks or [*self._iter_leaks(cassette_dict["requests"], responses)]:
            self._refusals.refuse(SecretLeakError(path, leaks))
            return
        against = self._recorded_against or _format_hosts(
            request.uri for request in cassette_dict["requests"]
        )
        if _is_yaml(serializer):
            text = (
                f"# Recorded against {against}. Tokens, the client's id and its secrets are scrubbed:\n"
                f"# payman_sdk.testing puts placeholders in their place, and ids are renamed when this is played.\n{text}"
            )
        _write(path, text)

    def _iter_leaks(self, requests: Iterable[Any], responses: Iterable[dict[str, Any]]) -> Iterator[str]:
        """Yield what is only found in messages as programs read them, and what nobody can read."""
        messages = [
            (f"request {number}", request.headers, [request.uri, request.body], {"identity", "gzip"})
            for number, request in enumerate(requests, 1)
        ]
        messages += [
            (f"answer {number}", response["headers"], [response.get("body")], {"identity"})
            for number, response in enumerate(responses, 1)
        ]
        for what, headers, texts, readable in messages:
            for name, value in headers.items():
                values: list[Any] = [value] if isinstance(value, (str, bytes)) else value
                texts += values
                if name.lower() == "content-encoding" and not readable.issuperset(values):
                    yield f"{what}: its body is compressed with {value}, so it cannot be looked through"
            for each in texts:
                text: Any = cast("dict[str, Any]", each).get("string") if isinstance(each, dict) else each
                if isinstance(text, (bytes, str)):
                    for leak in self._tape.scrubber.find_leaks_in_body(text):
                        yield f"{what}: {leak}"


def _is_yaml(serializer: Any) -> bool:
    return getattr(serializer, "__name__", "") == "vcr.serializers.yamlserializer"


def _format_hosts(addresses: Iterable[str]) -> str:
    hosts = dict.fromkeys(urlsplit(address).hostname or "" for address in addresses)
    return " and ".join("the sandbox" if host in _LOOPBACK else host for host in hosts) or "nothing"


def _dump_yaml(cassette: dict[str, Any]) -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        """A dumper of this cassette's own, for a representer is its class's."""

    def represent_text(_: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return yaml.ScalarNode("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, represent_text)
    return yaml.dump(cassette, Dumper=Dumper, width=_ENDLESS, allow_unicode=True)


def _write(path: Path, text: str) -> None:
    """Put a file in its place as a whole, so that an interrupted run leaves the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_text(text, encoding="utf-8", newline="\n")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
