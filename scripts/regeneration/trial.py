"""Trying a generated package, in a process of its own: `python trial.py TRIALS.json`, with the package on the path. Each failure is a line of JSON."""

import contextlib
import datetime
import inspect
import io
import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx

TOKEN = "token-of-a-trial"  # noqa: S105 # nosec B105
BASE = "https://base.invalid"


def fill(value: Any, base: Any) -> Any:
    """Put files where JSON has only a mark for them."""
    if isinstance(value, dict) and "$file" in value:
        return base.File(io.BytesIO(b"content"), "a.txt")
    return convert(value, lambda each: fill(each, base))


def shape(value: Any) -> Any:
    """Return a value in one spelling, where it has several: times."""
    if isinstance(value, str) and "T" in value and len(value) > len("2025-01-31"):
        with contextlib.suppress(ValueError):
            return datetime.datetime.fromisoformat(value)
    return convert(value, shape)


def convert(value: Any, change: Callable[[Any], Any]) -> Any:
    """Change what is in an object or a list."""
    if isinstance(value, dict):
        return {key: change(each) for key, each in value.items()}
    return [*map(change, value)] if isinstance(value, list) else value


def try_class(package: str, trial: dict[str, Any]) -> None:
    """Build, write and read a class with each value."""
    cls = getattr(import_module(f"{package}.models"), trial["class"])
    for value in trial["values"]:
        if not hasattr(cls, "from_dict"):
            check(cls(value).value == value, f"{value!r:.300} is no member")
        elif isinstance(value, dict):
            read = cls.from_dict(value)
            written = json.loads(json.dumps(read.to_dict()))
            check(shape(written) == shape(value), f"{value!r:.300} is written as {written!r:.300}")
            check(cls.from_dict(written) == read, f"{value!r:.300} is not equal when it is read again")
            built = cls(**{name: getattr(read, name) for name in cls.__match_args__})
            if hasattr(read, "additional_properties"):
                built.additional_properties = read.additional_properties
            is_equal = built == read and built.to_dict() == read.to_dict()
            check(is_equal, f"{value!r:.300} is not equal when it is built")


def try_operation(package: str, trial: dict[str, Any]) -> None:
    """Send a request with each body, and read each answer."""
    module, primary = import_module(f"{package}.{trial['module']}"), package.split(".")[0]
    base, kit = import_module(f"{primary}.types"), import_module(f"{primary}._base")
    hints, models = inspect.get_annotations(module.build_request), f"{package}.models"
    arguments = {}
    for name, value in trial["arguments"].items():
        arguments[name] = kit.reader(hints[name], models)(fill(value, base), name)
    for body in trial["bodies"]:
        given, kind = dict(arguments), trial["kind"]
        if kind in ("text", "bytes"):
            given["body"] = body.encode() if kind == "bytes" else body
        elif kind:
            given["body"] = kit.reader(hints["body"], models)(fill(body, base), "body")
        request = send(package, module, given)
        url, sent = request.url, request.content
        is_whole = request.method == trial["method"] and "{" not in str(url)
        check(is_whole, f"the request is {request.method} {url}")
        check(all(name in url.params for name in trial["names"]), f"the query is {url.params}")
        if kind == "json":
            check(shape(json.loads(sent)) == shape(body), f"{body!r:.300} is sent as {sent!r:.300}")
        elif kind == "multipart":
            parts = [f'name="{name}"' for name, it in body.items() if it not in ([], [None], None)]
            check(all(part.encode() in sent for part in parts), "a part of the body is missing")
        check_destination(request, trial)
    for status, media, kind, value in trial["answers"]:
        if kind == "event":
            read: Any = module.parse_event(value)
        else:
            content = b"" if not kind else json.dumps(value).encode() if kind == "json" else value.encode()
            headers = {"content-type": media or "x/y"}
            read = module.parse_answer(httpx.Response(status, headers=headers, content=content))
        found = read.decode() if isinstance(read, bytes) else kit.encode(read)
        check(shape(found) == shape(value), f"{value!r:.300} of status {status} is read as {found!r:.300}")


def send(package: str, module: Any, given: dict[str, Any]) -> httpx.Request:
    """Return the request that a client would send."""
    seen: list[httpx.Request] = []
    # A client without a transport would read all certificates each time.
    transport = httpx.MockTransport(lambda _: httpx.Response(599))
    settings = {"transport": transport, "event_hooks": {"request": [seen.append]}}
    given["client"] = import_module(package).AuthenticatedClient(BASE, token=TOKEN, httpx_args=settings)
    if hasattr(module, "sync_detailed"):
        module.sync_detailed(**given)
    else:
        with module.stream(**given):
            pass
    return seen[0]


def check_destination(request: httpx.Request, trial: dict[str, Any]) -> None:
    """Check which server a request goes to, and that it carries the token only if the operation wants one."""
    url, (location, name, _) = request.url, trial["scheme"] or ("", "", "")
    server = str(httpx.URL(trial["server"] or BASE))
    check(str(url).startswith(server), f"it is sent to {url.copy_with(query=None)}, not to {server}")
    if location in ("header", "query", "cookie"):
        holder = url.params if location == "query" else request.headers
        sent = holder.get("cookie" if location == "cookie" else name, "")
        check(TOKEN in sent, "the access token is not where the operation wants it")
    else:
        is_sent = TOKEN in f"{url}{request.headers.raw}"
        check(not is_sent, "the access token is sent to an operation that wants none")


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
            what = trial.get("class") or trial.get("module") or trial["import"]
            said = f"{type(error).__name__}: {error}"
            print(json.dumps({"place": trial["place"], "said": said, "what": what}))


if __name__ == "__main__":
    main()
