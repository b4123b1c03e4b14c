from __future__ import annotations

from scripts.comparison.changes import Change, Level
from scripts.comparison.comparing import UNNOTICED
from scripts.regeneration.names import NameChange
from scripts.regeneration.reporting import Findings, markdown, terminal
from tests.tables import table

SAME = Change(Level.COSMETIC, "changed", "document", "document", UNNOTICED)
MORE = Change(Level.ADDITIVE, "added", "schema", "schema Task", "`Task.due` was added.")
WORSE = Change(Level.BREAKING, "removed", "schema", "schema Task", "`Task.due` was removed.")
GONE = NameChange("removed", "payman_api.models.Kind")
NEW = NameChange("added", "payman_api.models.Kind")
OTHER = NameChange("changed", "payman_api.models.Part.type_", "Literal['text']", "PartType")
WIDER = NameChange(
    "changed", "payman_api.api.ask.build_request", "(*, a: str) -> X", "(*, a: str, b: int=1) -> X"
)
NARROWER = NameChange("changed", "payman_api.api.ask.build_request", "(*, a: str) -> X", "(*, b: str) -> X")
AWAITED = NameChange("changed", "payman_api.api.ask.sync", "(*, a: str) -> X", "async (*, a: str) -> X")
NULL = NameChange("changed", "payman_api.models.Task.due", "str", "None | str")
NO_DEFAULT = NameChange("changed", "payman_api.models.Task.due", "str = …", "str")

MAJOR = "a major step, because names of payman_api have changed or are gone"


@table(
    ("changes", "names", "step"),
    [
        ([], [], None),
        ([], [GONE], MAJOR),
        ([], [WIDER], MAJOR),
        ([SAME], [], "a patch step"),
        ([SAME], [OTHER], MAJOR),
        ([SAME], [NEW], "a minor step, because payman_api has new names"),
        ([MORE], [NEW, WIDER, NULL], "a minor step"),
        ([MORE], [NARROWER], MAJOR),
        ([MORE], [AWAITED], MAJOR),
        ([MORE], [OTHER], MAJOR),
        ([MORE], [NO_DEFAULT], MAJOR),
        ([WORSE], [GONE], "a major step"),
        (None, [GONE], None),
    ],
)
def test_names_of_the_client_count_for_the_version(
    changes: list[Change] | None, names: list[NameChange], step: str | None
) -> None:
    """However small the change of the API seems, who uses a name that is gone has to change a program."""
    apis = None if changes is None else {"payman": changes}
    found = Findings({"generated/payman_api/models/kind.py": "changed"}, apis, names)
    versions = [line for line in terminal(found) if line.startswith("Version")]
    assert versions == ([f"Version: {step}."] if step else [])
    assert (f"## Version\n\nA{step[1:]}." if step else "## Files") in markdown(found)


def test_where_names_are_different_it_is_not_said_that_nothing_is_noticed() -> None:
    """That is only true where the client is the same."""
    for names in ([], [OTHER]):
        found = Findings({"spec/payman.openapi.yaml": "changed"}, {"payman": [SAME]}, names)
        for text in ("\n".join(terminal(found)), markdown(found)):
            assert (UNNOTICED in text) is (not names)
            assert "Written in another way" in text
