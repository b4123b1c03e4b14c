"""For programs written for version 1, which catch the exceptions of `requests`.

If a program has imported `requests`, an error's class is also one of its exceptions. It keeps its name, so messages and tracebacks
read the same. Nothing here imports `requests`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    import json

E = TypeVar("E", bound=BaseException)


def create_error(error_class: type[E], args: tuple[Any, ...], sent: object) -> E:
    """Return an exception before it gets its attributes, also one of `requests` if the program has imported that."""
    made: Any = error_class
    if "requests" in sys.modules:
        name = made._in_requests
        if name == "Timeout" and isinstance(sent, bool):
            name = "ReadTimeout" if sent else "ConnectTimeout"
        made = _derive_class(error_class, name)
    # Of all built-in exceptions among the bases, only the one that the others are built upon can make it.
    native = made
    while native.__module__ != "builtins":
        native = native.__base__
    # Without arguments: an OSError, which a timeout always is, would take two for a number and a text.
    error: E = native.__new__(made)
    error.args = args
    return error


def build_json_error(error: json.JSONDecodeError) -> json.JSONDecodeError:
    """Return what `.json()` of an answer raises: as `requests` has it, if the program has imported that."""
    import json

    as_there = _find_exception("JSONDecodeError")
    # With simplejson installed, theirs is not an error of Python's own json: then that one counts.
    if as_there is None or not issubclass(as_there, json.JSONDecodeError):
        return error
    return as_there(error.msg, error.doc, error.pos)


_PUBLIC = "_payman_public"
"""Where a class that was made here keeps the one that it was made of."""

_made: dict[tuple[type, type], type] = {}
"""Classes made so far, by the class of the error and that of `requests`; the former itself where they cannot be joined."""


def _derive_class(error_class: type[E], name: str) -> type[E]:
    counterpart, root = _find_exception(name), _find_exception("RequestException")
    if counterpart is None or root is None or issubclass(error_class, counterpart):
        return error_class
    public: type[E] = _get_public_class(error_class)
    key = public, counterpart
    # Of several threads that make the first one, all get what was put there first.
    return _made.get(key) or _made.setdefault(key, _join_classes(public, counterpart, root))


def _find_exception(name: str) -> type[BaseException] | None:
    """Return an exception of `requests`; None where the program has not imported it, or calls something else so."""
    # A submodule is bound to its package when it is complete; sys.modules holds it before that.
    found = getattr(getattr(sys.modules.get("requests"), "exceptions", None), name, None)
    return found if isinstance(found, type) else None


def _join_classes(public: type[E], counterpart: type[BaseException], root: type[BaseException]) -> type[E]:
    def reduce(self: Any, protocol: Any) -> tuple[Any, ...]:
        # Pickled as the public class, also by a subclass's own __reduce__, because another process finds that one.
        made, arguments, *rest = cast("tuple[Any, ...]", public.__reduce_ex__(self, protocol))
        return _get_public_class(made), tuple(map(_get_public_class, arguments)), *rest

    names = {name: getattr(public, name) for name in ("__module__", "__qualname__", "__doc__")}
    members = {**names, _PUBLIC: public, "__reduce_ex__": reduce}
    bases = public, _build_silent_root(root), counterpart
    try:
        return cast("type[E]", cast("Any", type(public))(public.__name__, bases, members))
    except Exception:
        # Slots, a metaclass or an __init_subclass__ of a user's class may forbid it.
        return public


def _get_public_class(value: Any) -> Any:
    """Return the class that a class was made of here; anything else as it is."""
    return vars(value).get(_PUBLIC, value) if isinstance(value, type) else value


def _build_silent_root(root: type[BaseException]) -> type[BaseException]:
    """Return `RequestException` without what it and OSError do to a new exception.

    It comes after the classes of the SDK and of users, and before those of `requests`. An error has no request, which would hold
    secrets, and a subclass's `filename` or `errno` is an ordinary attribute.
    """
    nothing = dict.fromkeys(("request", "response", "errno", "strerror", "filename", "filename2"))
    members = {**nothing, "__module__": __name__, "__init__": BaseException.__init__}
    return type(root.__name__, (root,), members)
