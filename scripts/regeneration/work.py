"""A regeneration, up to the moment when something would be written: everything is made in a folder of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.comparison.comparing import compare
from scripts.regeneration import reading, sources
from scripts.regeneration.adaptation import faults, out_of_date, traced
from scripts.regeneration.folders import differences, files
from scripts.regeneration.generator import generate
from scripts.regeneration.history import origin
from scripts.regeneration.names import name_changes, names
from scripts.regeneration.progress import Progress
from scripts.regeneration.reporting import Findings
from scripts.regeneration.sources import Source


@dataclass(frozen=True)
class Work:
    """What a regeneration has made, and what would change.

    Args:
        findings: What is to be told.
        coming: What is to be put in place, by the path below the root; None where something is only removed.
    """

    findings: Findings
    coming: Mapping[str, Path | None]


def prepare(
    root: Path, scratch: Path, progress: Progress, source: str | None = None, thorough: bool = True
) -> Work:
    """Make the client, and find out what is different.

    Args:
        root: The folder that holds spec/ and generated/.
        scratch: A folder to work in.
        progress: Told of every step.
        source: The file or URL of a new document.
        thorough: Whether to look at what the difference means, too.

    Raises:
        RegenerationError: The client cannot be made.
    """
    spec = root / "spec"
    with progress.step("Reading the document"):
        if source is None:
            given = sources.present(spec)
        else:
            given = sources.incoming(spec, reading.read(source), reading.shown(source))
    fresh = scratch / "fresh"
    with progress.step("Generating the client"):
        generate(given.document, spec, fresh / "payman_api")
    changed, coming = _changed(root, scratch, given, fresh)
    if not (changed and thorough):
        return Work(Findings(changed), coming)
    return Work(_findings(root, scratch, progress, given, changed), coming)


def _changed(
    root: Path, scratch: Path, given: Source, fresh: Path
) -> tuple[dict[str, str], dict[str, Path | None]]:
    """Say what differs, file by file, and what to put where."""
    spec = root / "spec"
    old = {name: (spec / name).read_bytes() for name in given.files if (spec / name).exists()}
    new = {name: content for name, content in given.files.items() if content is not None}
    coming: dict[str, Path | None] = {}
    changed: dict[str, str] = {}
    for name, kind in differences(old, new).items():
        changed[f"spec/{name}"] = kind
        coming[f"spec/{name}"] = scratch / name if name in new else None
        if name in new:
            (scratch / name).write_bytes(new[name])
    in_client = differences(files(root / "generated"), files(fresh))
    if in_client:
        coming["generated"] = fresh
    return changed | {f"generated/{name}": kind for name, kind in in_client.items()}, coming


def _findings(
    root: Path, scratch: Path, progress: Progress, given: Source, changed: Mapping[str, str]
) -> Findings:
    """Find out what the difference means."""
    present = files(root / "generated")
    with progress.step("Comparing with what was there"):
        former = origin(root, present, scratch)
        changes = None if former is None else compare(former, given.document)
        fresh = names(files(scratch / "fresh"))
        renames = [change.names for change in changes or () if change.kind in ("renamed", "moved")]
        in_names = name_changes(names(present), fresh, renames)
    is_client_the_same = not any(name.startswith("generated/") for name in changed)
    if is_client_the_same or not (root / "payman_sdk").is_dir():
        return Findings(changed, changes, in_names)
    with progress.step("Checking the types of payman_sdk"):
        found = faults(root, root / "generated", scratch / "fresh", fresh, scratch)
    to_adapt = [*traced(root, found, changes or (), in_names), *out_of_date(root, changes or ())]
    return Findings(changed, changes, in_names, to_adapt)
