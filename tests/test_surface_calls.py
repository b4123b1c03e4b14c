from __future__ import annotations

from pathlib import Path

import pytest

from scripts.surface.comparing import broken_calls
from tests.small_package import changed, check, committed
from tests.small_package import release as release
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


def test_a_lost_base_is_said_without_what_it_gave(release: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a class inherited is gone with the base, also from what inherits from the class."""
    changed(release, "    late: bool = True", "    late: bool = True\nclass Later(TimedOut): ...")
    changed(release, '"TimedOut", ', '"Later", "TimedOut", ')
    check(release, "--record")
    committed(release, "v2.0.1")
    capsys.readouterr()
    changed(release, "(PaymanError, TimeoutError)", "(TimeoutError)")
    assert check(release, "--record") == 1
    said = [line.strip() for line in capsys.readouterr().err.splitlines() if line.startswith("  ")]
    assert said == ["payman_sdk.errors.TimedOut: no longer derives from payman_sdk.PaymanError"]
