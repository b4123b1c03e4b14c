"""A regeneration, up to the moment when something would be written: everything is made in a folder of its own."""

import contextlib
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console

from scripts.comparison.changes import Change, version_step
from scripts.comparison.comparing import compare
from scripts.git import export, run_git
from scripts.regeneration import RegenerationError, sources
from scripts.regeneration.adaptation import missing_keys, traced
from scripts.regeneration.documents import Document, parse
from scripts.regeneration.folders import differences, files
from scripts.regeneration.generator import generate
from scripts.regeneration.names import name_changes, names
from scripts.regeneration.proof import prove, replay
from scripts.regeneration.quotes import out_of_date
from scripts.regeneration.reading import read_file
from scripts.regeneration.reporting import Findings
from scripts.regeneration.sources import PRIMARY, Package, Source, packages
from scripts.regeneration.type_check import new_type_faults


def origin(root: Path, present: Mapping[str, bytes], scratch: Path) -> dict[str, Document] | None:
    """Find the documents that the generated packages were made from, by their names.

    They are taken for it only if they give the packages, byte for byte: those in the work tree, those last
    committed, or those that were there when the packages were last committed.

    Args:
        root: The folder that holds spec/ and generated/.
        present: The files in generated/.
        scratch: A folder for what is made on the way.
    """
    tried: list[Mapping[str, bytes]] = []
    for number, spec in enumerate(_candidates(root, scratch)):
        if (content := files(spec)) in tried:
            continue
        tried.append(content)
        try:
            made, documents = scratch / f"origin-{number}", dict[str, Document]()
            for package in packages(spec):
                documents[package.name] = parse(read_file(spec / package.document), package.document)
                generate(documents[package.name], spec, made / package.folder, package.name)
        except RegenerationError:
            continue  # whatever it was, this client was not made from it
        if files(made) == present:
            return documents
    return None


def _candidates(root: Path, scratch: Path) -> Iterator[Path]:
    yield root / "spec"
    for question in (("rev-parse", "HEAD"), ("log", "-1", "--format=%H", "--", "generated")):
        try:
            commit = run_git(root, *question).decode().strip()
            export(root, scratch / f"spec-{commit}", commit, "spec")
        except (OSError, subprocess.CalledProcessError):  # no git, no repository, or no such thing in it
            continue
        yield scratch / f"spec-{commit}" / "spec"


@contextlib.contextmanager
def _step(what: str) -> Iterator[None]:
    """Show at the foot of a terminal what is being done while it is done."""
    console = Console(stderr=True, quiet=not Console(stderr=True).is_terminal)
    with console.status(f"{what} …"):
        yield
    console.print(f"[green]✓[/] {what}", highlight=False)


Coming = dict[str, Path | None]
"""What is to be put in place, by the path below the root; None where something is only removed."""


def prepare(
    root: Path, scratch: Path, source: str | None, thorough: bool, name: str
) -> tuple[Findings, Coming]:
    """Make the client, and find out what is different; return what is to be reported and what is to be put in place.

    Args:
        root: The folder that holds spec/ and generated/.
        scratch: A folder to work in.
        source: The file or URL of a new document.
        thorough: Whether to look at what the difference means, too.
        name: Which document the new one takes the place of.

    Raises:
        RegenerationError: The client cannot be made.
    """
    spec = root / "spec"
    wanted = Package(name)
    with _step("Reading the documents"):
        kept = [package for package in packages(spec) if not source or package.name != name]
        given = {package: sources.present(spec, package) for package in kept}
        if source:
            given[wanted] = sources.incoming(spec, wanted, source)
    fresh = scratch / "fresh"
    with _step("Generating the client"):
        # In order: the primary package holds the others.
        for package in sorted(given, key=lambda it: it.folder):
            generate(given[package].document, spec, fresh / package.folder, package.name)
    changed, coming = _changed(root, scratch, given)
    if thorough and "generated" in coming:
        with _step("Trying the client"):
            prove(fresh, {package: it.document for package, it in given.items()}, scratch)
    if not (changed and thorough):
        return Findings(changed), coming
    findings = _findings(root, scratch, given, changed)
    # What breaks programs breaks recordings, too: these are made anew when the SDK has been adapted.
    is_harmless = findings.changes is not None and version_step(findings.all_changes) != "major"
    if "generated" in coming and is_harmless and not findings.faults:
        with _step("Playing what was recorded"):
            replay(root, fresh)
    return findings, coming


def _changed(root: Path, scratch: Path, given: Mapping[Package, Source]) -> tuple[dict[str, str], Coming]:
    """Say what differs, file by file, and what to put where."""
    spec, fresh = root / "spec", scratch / "fresh"
    wanted = {name: content for source in given.values() for name, content in source.files.items()}
    old = {name: (spec / name).read_bytes() for name in wanted if (spec / name).exists()}
    new = {name: content for name, content in wanted.items() if content is not None}
    kinds = differences(old, new)
    for name in kinds.keys() & new.keys():
        (scratch / name).write_bytes(new[name])
    coming: Coming = {f"spec/{name}": scratch / name if name in new else None for name in kinds}
    changed = {f"spec/{name}": kind for name, kind in kinds.items()}
    in_client = differences(files(root / "generated"), files(fresh))
    if in_client:
        coming["generated"] = fresh
    return changed | {f"generated/{name}": kind for name, kind in in_client.items()}, coming


_NOTHING: Document = {"openapi": "3.1.0", "info": {"title": "", "version": ""}, "paths": {}}
"""What a new document is compared with."""


def _compare(former: Mapping[str, Document], given: Mapping[Package, Source]) -> dict[str, list[Change]]:
    """Say what has changed in each document that has; one that is gone has lost everything."""
    coming = {package.name: source.document for package, source in given.items()}
    listed = sorted({*former, *coming}, key=lambda it: (it != PRIMARY, it))
    found = {it: compare(former.get(it, _NOTHING), coming.get(it, _NOTHING)) for it in listed}
    return {name: changes for name, changes in found.items() if changes}


def _findings(
    root: Path, scratch: Path, given: Mapping[Package, Source], changed: Mapping[str, str]
) -> Findings:
    """Find out what the difference means."""
    present = files(root / "generated")
    with _step("Comparing with what was there"):
        former = origin(root, present, scratch)
        apis = None if former is None else _compare(former, given)
        changes = [change for several in (apis or {}).values() for change in several]
        fresh = names(files(scratch / "fresh"))
        renames = [change.names for change in changes if change.kind in ("renamed", "moved")]
        in_names = name_changes(names(present), fresh, renames)
    is_client_the_same = not any(name.startswith("generated/") for name in changed)
    if is_client_the_same or not (root / "payman_sdk").is_dir():
        return Findings(changed, apis, in_names)
    with _step("Checking the types of payman_sdk"):
        misfits = new_type_faults(root, root / "generated", scratch / "fresh", scratch)
        found = [*misfits, *missing_keys(root, fresh)]
    seen = {(fault.file, fault.line) for fault in found}
    quoted = [it for it in out_of_date(root, changes, former or {}) if (it[0].file, it[0].line) not in seen]
    return Findings(changed, apis, in_names, [*traced(root, found, changes, in_names), *quoted])
