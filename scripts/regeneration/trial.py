"""Trying a generated package, in a process of its own: `python trial.py TRIALS.json`, with the package on the path. Each failure is a line of JSON."""

from __future__ import annotations

import contextlib
import datetime
import inspect
import io
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx

TOKEN = "token-of-a-trial"  # noqa: S105 # nosec B105
BASE = "https://base.invalid"


def fill(value: Any, base: Any) -> Any:
    """Put files where JSON has only a mark for them."""
    if isinstance(value, dict):
        return (
            base.File(io.BytesIO(b"content"), "a.txt")
            if "$file" in value
            else {key: fill(each, base) for key, each in value.items()}
        )
    return [fill(each, base) for each in value] if isinstance(value, list) else value


def shape(value: Any) -> Any:
    """Give a value in one spelling, where it has several: times."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    if isinstance(value, str) and "T" in value and len(value) > len("2025-01-31"):
        with contextlib.suppress(ValueError):
            return datetime.datetime.fromisoformat(value)
    return value


def try_class(package: str, trial: dict[str, Any]) -> None:
    """Build, write and read a class with each value."""
    cls = getattr(import_module(f"{package}.models"), trial["class"])
    for value in trial["values"]:
        if isinstance(value, dict) and hasattr(cls, "from_dict"):
            read = cls.from_dict(value)
            written = json.loads(json.dumps(read.to_dict()))
            check(shape(written) == shape(value), f"{value!r:.300} is written as {written!r:.300}")
            check(cls.from_dict(written) == read, f"{value!r:.300} is not equal when it is read again")
            names = cls.__match_args__
            built = cls(**{name: getattr(read, name) for name in names})
            if hasattr(read, "additional_properties"):
                built.additional_properties = read.additional_properties
            check(
                built == read and built.to_dict() == read.to_dict(),
                f"{value!r:.300} is not equal when it is built",
            )
        elif not hasattr(cls, "from_dict"):
            check(cls(value).value == value, f"{value!r:.300} is no member")


def try_operation(package: str, trial: dict[str, Any]) -> None:
    """Build a request with each body, send it, and read each answer."""
    module, base = import_module(f"{package}.{trial['module']}"), import_module(f"{package}.types")
    kit = import_module(f"{package.split('.')[0]}._base")
    hints, models = inspect.get_annotations(module.build_request), f"{package}.models"
    arguments = {
        name: kit.reader(hints[name], models)(fill(value, base), name)
        for name, value in trial["arguments"].items()
    }
    for body in trial["bodies"] or [None]:
        given = dict(arguments)
        if trial["media"]:
            text = trial["media"][1] in ("text", "bytes")
            value = body.encode() if trial["media"][1] == "bytes" else body
            given["body"] = value if text else kit.reader(hints["body"], models)(fill(body, base), "body")
        request = httpx.Client(base_url=BASE).build_request(**module.build_request(**given))
        check(
            request.method == trial["method"] and "{" not in str(request.url),
            f"the request is {request.method} {request.url}",
        )
        check(
            all(name in request.url.params for name in trial["names"]), f"the query is {request.url.params}"
        )
        if trial["media"] and trial["media"][1] == "json":
            check(
                shape(json.loads(request.content)) == shape(body),
                f"{body!r:.300} is sent as {request.content!r:.300}",
            )
        elif trial["media"] and trial["media"][1] == "multipart":
            sent = request.read()
            check(
                all(
                    f'name="{name}"'.encode() in sent for name, each in body.items() if each not in ([], None)
                ),
                "a part of the body is missing",
            )
        sent_by_client(package, module, given, trial)
    for status, media, kind, value in trial["answers"]:
        if kind == "event":
            read: Any = module.parse_event(value)
        else:
            content = b"" if not kind else json.dumps(value).encode() if kind == "json" else value.encode()
            read = module.parse_answer(
                httpx.Response(status, headers={"content-type": media or "x/y"}, content=content)
            )
        found = read.decode() if isinstance(read, bytes) else kit.encode(read)
        check(shape(found) == shape(value), f"{value!r:.300} of status {status} is read as {found!r:.300}")


def sent_by_client(package: str, module: Any, given: dict[str, Any], trial: dict[str, Any]) -> None:
    """Check which server a request goes to, and that it carries the token only if the operation wants one."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(599)

    client = import_module(package).AuthenticatedClient(
        BASE, token=TOKEN, httpx_args={"transport": httpx.MockTransport(answer)}
    )
    if hasattr(module, "sync_detailed"):
        module.sync_detailed(client=client, **given)
    else:
        with module.stream(client=client, **given):
            pass
    scheme, (request,) = trial["scheme"], seen
    server = str(httpx.URL(trial["server"] or BASE))
    check(
        str(request.url).startswith(server),
        f"it is sent to {request.url.copy_with(query=None)}, not to {server}",
    )
    places = {
        "header": request.headers.get(scheme[1] if scheme else "", ""),
        "query": request.url.params.get(scheme[1] if scheme else "", ""),
        "cookie": request.headers.get("cookie", ""),
    }
    if scheme and scheme[0] in places:
        check(TOKEN in places[scheme[0]], "the access token is not where the operation wants it")
    else:
        check(
            TOKEN not in f"{request.url}{request.headers.raw}",
            "the access token is sent to an operation that wants none",
        )


def check(is_so: bool, said: str) -> None:
    """Raise what is wrong."""
    if not is_so:
        raise AssertionError(said)


def main() -> None:
    """Try everything; print what fails."""
    with Path(sys.argv[1]).open(encoding="utf-8") as file:
        trials = json.load(file)
    for trial in trials:
        try:
            if "class" in trial:
                try_class(trial["package"], trial)
            elif "module" in trial:
                try_operation(trial["package"], trial)
            else:
                import_module(trial["import"])
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            print(
                json.dumps(
                    {
                        "place": trial["place"],
                        "said": said,
                        "what": trial.get("class") or trial.get("module") or trial["import"],
                    }
                )
            )


if __name__ == "__main__":
    main()
