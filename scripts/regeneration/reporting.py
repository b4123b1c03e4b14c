"""What a regeneration found, told in a terminal and as a Markdown file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from scripts.comparison import changes as api
from scripts.comparison.changes import Change
from scripts.regeneration.adaptation import Cause
from scripts.regeneration.names import NameChange
from scripts.regeneration.type_check import Fault

UNTOLD = "What has changed in the API cannot be told: no document in spec/ or in git gives the client that was there."
FITS = "Every line of payman_sdk still type-checks."


@dataclass(frozen=True)
class Findings:
    """What a regeneration found.

    Args:
        files: How each file that differs does, by its path.
        changes: What has changed in the API; None where it cannot be told.
        names: What has become of the client's public names.
        faults: The lines of `payman_sdk` that do not fit the client, each with what it comes from; None where they were not
            looked for.
    """

    files: Mapping[str, str]
    changes: Sequence[Change] | None = None
    names: Sequence[NameChange] = field(default=())
    faults: Sequence[tuple[Fault, Sequence[Cause]]] | None = None


def told(cause: Cause) -> str:
    """Say what a fault comes from."""
    if isinstance(cause, NameChange):
        return f"{cause.kind} {cause}"
    return f"{cause.where}: {cause.text}"


def terminal(found: Findings) -> Iterator[str]:
    """Tell it line by line; nothing where nothing differs."""
    yield from (f"{kind} {name}" for name, kind in found.files.items())
    for title, told_in_lines in _sections(found):
        yield from ("", title, *(f"  {line}".rstrip() for line in told_in_lines))


def _sections(found: Findings) -> Iterator[tuple[str, Sequence[str]]]:
    if not found.files:
        return
    if found.changes is None:
        yield UNTOLD, ()
    else:
        yield "The API:", api.lines(found.changes) or ["the same as before"]
    if found.names:
        yield "Names of payman_api:", [f"{name.kind:<8}  {name}" for name in found.names]
    if found.faults:
        yield (
            "To be adapted:",
            [
                line
                for fault, causes in found.faults
                for line in (str(fault), *(f"  from {told(cause)}" for cause in causes))
            ],
        )
    elif found.faults is not None:
        yield FITS, ()
    if found.changes:
        yield f"Version: a {api.version_step(found.changes)} step.", ()
        if entry := api.changelog_entry(found.changes):
            yield "For CHANGELOG.md:", entry.splitlines()


def markdown(found: Findings) -> str:
    """Tell it as a Markdown document, also when nothing differs."""
    return "\n\n".join(["# What regenerating the client changes", *_chapters(found)]) + "\n"


def _chapters(found: Findings) -> Iterator[str]:
    if not found.files:
        yield "Nothing."
        return
    if found.changes is None:
        yield f"## The API\n\n{UNTOLD}"
    else:
        yield "## The API\n\n" + (api.markdown(found.changes).strip() or "The same as before.")
    if found.names:
        yield "## Names of `payman_api`\n\n" + "\n".join(f"- {name.kind}: `{name}`" for name in found.names)
    if found.faults is not None:
        yield "## What `payman_sdk` has to adapt\n\n" + ("\n".join(_adaptations(found.faults)) or FITS)
    if found.changes:
        yield f"## Version\n\nA {api.version_step(found.changes)} step."
        if entry := api.changelog_entry(found.changes):
            yield f"## For CHANGELOG.md\n\n```markdown\n{entry.strip()}\n```"
    yield "## Files\n\n" + "\n".join(f"- {kind}: `{name}`" for name, kind in found.files.items())


def _adaptations(faults: Sequence[tuple[Fault, Sequence[Cause]]]) -> Iterator[str]:
    for fault, causes in faults:
        yield f"- `{fault.file}:{fault.line}`: `{fault.message}`"
        yield from (f"  - from {told(cause)}" for cause in causes)
