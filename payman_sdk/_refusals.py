"""How settings and arguments are refused: one form for all of them."""

from __future__ import annotations

from typing import NoReturn

from payman_sdk._secrets import SecretStr
from payman_sdk.errors import ConfigurationError


def refuse(name: str, problem: str, next_step: str) -> NoReturn:
    """Raise the `ConfigurationError` for a setting or an argument: its name, what is wrong with it, and what to do."""
    raise ConfigurationError(f"{name} {problem}.", next_step=next_step)


def describe_type(value: object) -> str:
    """Return the name of a value's type with its article; a secret is a str to whoever gave it."""
    kind = "str" if isinstance(value, SecretStr) else type(value).__name__
    return f"{'an' if kind[0] in 'AEIOaeio' else 'a'} {kind}"


def describe_value(value: object) -> str:
    """Return a value as an error shows it, shortened; its type if it cannot be shown, such as an int of too many digits."""
    try:
        return repr(value)[:200]
    except Exception:
        return describe_type(value)


def is_coroutine_function(function: object) -> bool:
    """Return whether calling something returns a coroutine: an async function, or an object with an async `__call__`."""
    from inspect import iscoroutinefunction  # most programs have no hooks, and this takes a while to import

    called = getattr(function, "func", function)  # of a functools.partial, which may hold such an object
    return iscoroutinefunction(function) or (callable(called) and iscoroutinefunction(type(called).__call__))


def refuse_coroutine(name: str, owner: str) -> NoReturn:
    """Raise the `ConfigurationError` for a coroutine function that nothing can await."""
    fix = f"Pass a regular function, or use Async{owner}."
    refuse(name, f"is a coroutine function, which {owner} cannot await", fix)


def build_missing_error(need: str, extra: str) -> ConfigurationError:
    """Return the error for something that needs an extra which is not installed."""
    return ConfigurationError(f"{need}.", next_step=f"Install it: pip install 'paymanai-sdk[{extra}]'.")
