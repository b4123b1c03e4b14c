"""Tables: one test with many rows, of which each that fails is named."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Any, TypeAlias

import pytest

from payman_sdk._client.connection import PROVEN
from payman_sdk._secrets import sent_secrets
from payman_sdk.token_stores.memory import forget_shared_stores
from tests.peer import Peer

Test: TypeAlias = Callable[..., None]
Ids: TypeAlias = Iterable[object] | Callable[[Any], object]


def table(names: str | Sequence[str], rows: Iterable[Any], ids: Ids | None = None) -> Callable[[Test], Test]:
    """Run a test once for each row, as one test; where it is used twice, once for each pair.

    Every row runs, and the failure names all that fail. Fixtures are made once for all rows; but a `Peer` is as new for
    each. A test that changes what another fixture gave it belongs to `pytest.mark.parametrize`.

    Args:
        names: The arguments a row gives, separated by commas or in a tuple.
        rows: One value each, or a tuple where there are several names; `pytest.param(…, id=…)` names its row.
        ids: What the rows are called, or what calls a value by its name.
    """
    parts = [name.strip() for name in (names.split(",") if isinstance(names, str) else names)]
    columns = [_read_row(row, parts) for row in rows]
    call = ids if callable(ids) else None
    given = list(ids) if ids is not None and not callable(ids) else []
    labels = [
        str(label)
        if label is not None
        else str(given[index])
        if given
        else _label(index, parts, values, call)
        for index, (values, label) in enumerate(columns)
    ]
    assert columns, "a table without rows proves nothing"

    def decorate(test: Test) -> Test:
        @functools.wraps(test)
        def run(**fixtures: Any) -> None:
            failed: dict[str, BaseException] = {}
            for label, (values, _) in zip(labels, columns, strict=True):
                forget_shared_stores()
                PROVEN.clear()
                sent_secrets.clear()
                for fixture in fixtures.values():
                    if isinstance(fixture, Peer):
                        fixture.renew()
                try:
                    test(**fixtures, **dict(zip(parts, values, strict=True)))
                except (
                    Exception,
                    pytest.fail.Exception,
                ) as error:  # a row that fails keeps no other from running
                    error.add_note(f"Row: {label}")
                    failed[label] = error
            if failed:
                said = f"{len(failed)} of {len(columns)} rows failed: {', '.join(failed)}"
                raise BaseExceptionGroup(said, list(failed.values()))

        whole = inspect.signature(test)
        rest = [argument for name, argument in whole.parameters.items() if name not in parts]
        missing = set(parts) - set(whole.parameters)
        assert not missing, f"{test.__name__} has no argument {', '.join(sorted(missing))}"
        run.__signature__ = whole.replace(parameters=rest)  # type: ignore[attr-defined]  # what pytest reads
        return run

    return decorate


def _read_row(row: Any, parts: list[str]) -> tuple[Sequence[Any], str | None]:
    """The values of a row, and the name it gives itself."""
    name = None
    if isinstance(row, type(pytest.param())):
        assert not row.marks, "a row has no marks"
        name, values = row.id, row.values
    else:
        values = (row,) if len(parts) == 1 else tuple(row)
    assert len(values) == len(parts), f"a row has {len(values)} values for {', '.join(parts)}"
    return values, str(name) if name is not None else None


def _label(index: int, parts: list[str], values: Sequence[Any], call: Callable[[Any], object] | None) -> str:
    names = [call(value) if call else None for value in values]
    return "-".join(
        _spell(value, part, index) if name is None else str(name)
        for name, value, part in zip(names, values, parts, strict=True)
    )


def _spell(value: Any, part: str, index: int) -> str:
    """A short name of a value, as pytest gives it."""
    if isinstance(value, str | bytes | int | float | complex | bool | None | Enum):
        return str(value)[:80]
    return getattr(value, "__name__", None) or f"{part}{index}"
