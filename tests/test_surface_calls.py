from __future__ import annotations

import pytest

from scripts.surface.comparing import broken_calls
from tests.tables import table

pytestmark = pytest.mark.slow


@table(
    ("old", "new", "said"),
    [
        ("(a, b)", "(b, a)", ["a has moved from place 1 to 2", "b has moved from place 2 to 1"]),
        ("(a)", "(a, /)", ["a cannot be given by name any more"]),
        ("(a, /)", "(*, a)", ["a is gone"]),
        ("(a, /)", "(*everything)", []),
        ("(*, a)", "(**everything)", []),
        ("(a)", "(**everything)", ["a can only be given by name now"]),
        ("(*, a, b=...)", "(*, b=..., a)", []),
        ("(a: Optional[int])", "(a: Union[int, str, None])", []),
        ("(a: Literal['x'])", "(a: Literal['x', 'y'] | None)", []),
        ("(a: Literal['x', 'y'])", "(a: Literal['x'])", ["a took Literal['x', 'y'], takes Literal['x']"]),
        ("(**k: Unpack[A])", "(**k: Unpack[B])", ["**k took Unpack[A], takes Unpack[B]"]),
        ("() -> A", "()", []),
    ],
)
def test_calls_of_one_signature_fit_another_or_not(old: str, new: str, said: list[str]) -> None:
    """What callers can do with parameters, by place and by name, is told from two signatures."""
    assert [one.removeprefix("the parameter ") for one in broken_calls(old, new)] == said
