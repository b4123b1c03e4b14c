"""A table runs all its rows and names those that fail."""

from __future__ import annotations

import inspect

import pytest

from payman_sdk._secrets import SecretStr, sent_secrets
from tests.tables import table


def test_a_row_that_fails_is_named_and_the_others_run() -> None:
    seen: list[int] = []

    @table("number, word", [(1, "one"), pytest.param(2, "two", id="the second"), (3, "three"), (4, "four")])
    def prove(number: int, word: str) -> None:
        seen.append(number)
        assert number % 2, word

    with pytest.raises(BaseExceptionGroup, match=r"2 of 4 rows failed: the second, 4-four") as raised:
        prove()
    assert seen == [1, 2, 3, 4]
    assert raised.value.exceptions[0].__notes__[-1] == "Row: the second"


def test_tables_multiply_and_leave_fixtures_to_pytest() -> None:
    seen: list[tuple[str, int, object]] = []

    @table("way", ["plain", "stream"])
    @table("count", [1, 2], ids=["once", "twice"])
    def prove(way: str, count: int, tmp_path: object) -> None:
        seen.append((way, count, tmp_path))

    assert list(inspect.signature(prove).parameters) == ["tmp_path"]
    prove(tmp_path=5)
    assert seen == [("plain", 1, 5), ("plain", 2, 5), ("stream", 1, 5), ("stream", 2, 5)]


def test_no_row_finds_the_secrets_of_another() -> None:
    @table("secret", ["first-row-secret", "second-row-secret"])
    def prove(secret: str) -> None:
        assert sent_secrets.values() == []
        sent_secrets.add(SecretStr(secret))

    prove()


def test_a_failure_of_pytest_is_a_failure_of_its_row() -> None:
    @table("number", [1, 2])
    def prove(number: int) -> None:
        with pytest.raises(ZeroDivisionError):
            assert 1 / (number - 2)

    with pytest.raises(BaseExceptionGroup, match="1 of 2 rows failed: 1"):
        prove()


@pytest.mark.parametrize(("names", "rows"), [("number", []), ("number, word", [(1,)]), ("other", [1])])
def test_a_table_that_proves_nothing_is_refused(names: str, rows: list[object]) -> None:
    def prove(number: int, word: str) -> None:
        raise NotImplementedError

    with pytest.raises(AssertionError):
        table(names, rows)(prove)
