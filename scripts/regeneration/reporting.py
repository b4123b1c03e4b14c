"""What a regeneration found, reported in a terminal and as a Markdown file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from scripts.comparison import changes as api
from scripts.comparison.changes import Change
from scripts.comparison.comparing import UNNOTICED
from scripts.regeneration.adaptation import Cause
from scripts.regeneration.names import NameChange
from scripts.regeneration.sources import PRIMARY
from scripts.regeneration.type_check import Fault

UNTOLD = "What has changed in the API cannot be told: no document in spec/ or in git gives the client that was there."
ONLY_NAMES = "Written in another way; requests and answers are as they were, as far as can be told."
"""In the place of `UNNOTICED`, where names of the client are different."""
FITS = "Every line of payman_sdk still type-checks."


class Findings(NamedTuple):
    """What a regeneration found.

    Args:
        files: How each file that differs does, by its path.
        changes: What has changed in each document, by its name; None where nobody knows.
        names: What has become of the client's public names.
        faults: The lines of `payman_sdk` that do not fit the client, each with what it comes from; None where they were not
            looked for.
    """

    files: Mapping[str, str]
    changes: Mapping[str, Sequence[Change]] | None = None
    names: Sequence[NameChange] = ()
    faults: Sequence[tuple[Fault, Sequence[Cause]]] | None = None

    @property
    def all_changes(self) -> list[Change]:
        """The changes of all documents."""
        return [change for several in (self.changes or {}).values() for change in several]


def is_different(found: Findings) -> bool:
    """Return whether the API or a generated file differs; another layout of a document alone does not count."""
    if found.changes is None:
        return bool(found.files)
    return bool(found.all_changes) or any(name.startswith("generated/") for name in found.files)


def version(found: Findings) -> str | None:
    """Suggest a step of the version. Where the API alone would be a smaller one, the client's names decide.

    Of an API that has more to offer, signatures and types become wider, which is no more than additive. Where the API gives no
    reason for it, every name that is another one counts.
    """
    if found.changes is None:
        return None
    step = api.version_step(found.all_changes)
    if step != "major":
        if any(name.kind != "added" and not (step == "minor" and name.is_wider) for name in found.names):
            return "a major step, because names of payman_api have changed or are gone"
        if step != "minor" and found.names:
            return "a minor step, because payman_api has new names"
    return f"a {step} step" if step else None


def describe_cause(cause: Cause) -> str:
    """Say what a fault comes from."""
    return f"{cause.kind} {cause}" if isinstance(cause, NameChange) else f"{cause.where}: {cause.text}"


def terminal(found: Findings) -> Iterator[str]:
    """Yield it line by line; nothing where nothing differs."""
    yield from (f"{kind} {name}" for name, kind in found.files.items())
    for title, lines, _, _ in _sections(found) if found.files else ():
        yield from ("", title, *(f"  {line}".rstrip() for line in lines))


def markdown(found: Findings) -> str:
    """Return it as a Markdown document, also when nothing differs."""
    chapters = ["Nothing."]
    if found.files:
        files = "\n".join(f"- {kind}: `{name}`" for name, kind in found.files.items())
        chapters = [f"## {heading}\n\n{text}" for _, _, heading, text in _sections(found)]
        chapters.append(f"## Files\n\n{files}")
    return "\n\n".join(["# What regenerating the client changes", *chapters]) + "\n"


def _sections(found: Findings) -> Iterator[tuple[str, Sequence[str], str, str]]:
    """Yield each thing that is reported: its title and lines in a terminal, its heading and text in Markdown."""
    if found.changes is None:
        yield (UNTOLD, (), "The API", UNTOLD)
    documents = found.changes or ({} if found.changes is None else {PRIMARY: ()})
    for name, changes in documents.items():
        # That nothing is noticed is not so where names of the client are different.
        unnoticed = UNNOTICED if found.names else None
        shown = [replace(it, text=ONLY_NAMES) if it.text == unnoticed else it for it in changes]
        title = "The API" if name == PRIMARY else f"The API of {name}"
        lines, text = api.lines(shown), api.markdown(shown).strip()
        yield (f"{title}:", lines or ["the same as before"], title, text or "The same as before.")
    if found.names:
        lines = [f"{name.kind:<8}  {name}" for name in found.names]
        text = "\n".join(f"- {name.kind}: `{name}`" for name in found.names)
        yield ("Names of payman_api:", lines, "Names of `payman_api`", text)
    if found.faults is not None:
        lines, items = list[str](), list[str]()
        for fault, causes in found.faults:
            origins = [f"from {describe_cause(cause)}" for cause in causes]
            lines += [str(fault), *(f"  {origin}" for origin in origins)]
            items.append(f"- `{fault.file}:{fault.line}`: `{fault.message}`")
            items += [f"  - {origin}" for origin in origins]
        title, text = ("To be adapted:", "\n".join(items)) if items else (FITS, FITS)
        yield (title, lines, "What `payman_sdk` has to adapt", text)
    if step := version(found):
        yield (f"Version: {step}.", (), "Version", f"{step[:1].upper()}{step[1:]}.")
    if entry := api.changelog_entry(found.all_changes):
        text = f"```markdown\n{entry.strip()}\n```"
        yield ("For CHANGELOG.md:", entry.splitlines(), "For CHANGELOG.md", text)
