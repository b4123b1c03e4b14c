"""What a lock may hold, and how scripts may install: exact versions with hashes, no addresses, and nothing that runs meanwhile.

`scripts/lint` runs it; it prints what breaks a rule, and exits with 1 then.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent

_REQUIREMENT = re.compile(r"[a-z0-9][a-z0-9._-]*==[0-9][a-z0-9.!+]*(?: ; [^#\\]+)?", re.IGNORECASE)
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+(?:-[0-9a-z.-]+)?", re.IGNORECASE)
_ADDRESS = re.compile(r"[a-z+]+://|\bgit@|\b[a-z0-9-]+\.(?:org|com|io|dev)/", re.IGNORECASE)
_INSTALLS = re.compile(
    r"\b(?:pip3?|\$\{pip\[@\]\}\")[^#|;&]*? install\b[^|;&]*|\bnpm (?:ci|i|install|exec)\b[^|;&]*|\bnpx\b[^|;&]*"
)


def problems_of_requirements(text: str) -> Iterator[str]:
    """Find what a lock for pip must not hold: packages without exact version and SHA-256, options, addresses."""
    entries = re.sub(r"\s*\\\n\s*", " \\ ", text).splitlines()
    if not any(line and not line.startswith("#") for line in entries):
        yield "it holds no package"
    for line in entries:
        if not line.strip() or line.startswith("#"):
            continue
        requirement, *hashes = [part.strip() for part in line.split(" \\ ")]
        if not _REQUIREMENT.fullmatch(requirement):
            yield f"no package with an exact version: {requirement}"
        elif not hashes or not all(_HASH.fullmatch(given) for given in hashes):
            yield f"not every file has a SHA-256: {requirement}"


def problems_of_npm(package: str, lock: str) -> Iterator[str]:
    """Find what a lock for npm must not hold.

    Args:
        package: The text of package.json.
        lock: The text of npm-shrinkwrap.json.
    """
    wanted, locked = json.loads(package), json.loads(lock)
    for group in ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "overrides"):
        for name, version in wanted.get(group, {}).items():
            if not isinstance(version, str) or not _VERSION.fullmatch(version):
                yield f"package.json asks for no exact version: {name} {version}"
    if wanted.get("scripts"):
        yield "package.json has scripts"
    packages: dict[str, dict[str, object]] = locked["packages"]
    if packages.pop("", {}).get("dependencies") != wanted.get("dependencies"):
        yield "it was made from another package.json; run scripts/lock"
    if not packages:
        yield "it holds no package"
    for name, known in packages.items():
        if not _VERSION.fullmatch(str(known.get("version", ""))):
            yield f"no exact version: {name}"
        if not re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", str(known.get("integrity", ""))):
            yield f"no SHA-512: {name}"
        if "resolved" in known or known.get("link"):
            yield f"an address in place of a name: {name}"
    if found := _ADDRESS.search(lock):
        yield f"it holds an address: {found[0]}"


def problems_of_script(text: str) -> Iterator[str]:
    """Find installations of packages in a shell script that no lock bounds, or that let packages run."""
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        code = line.partition(" #")[0] if not line.lstrip().startswith("#") else ""
        for found in _INSTALLS.findall(code):
            if found.startswith(("npm", "npx")):
                writes_lock = "--package-lock-only" in found
                if "--ignore-scripts" not in found or not (writes_lock or found.startswith("npm ci ")):
                    yield f"not `npm ci --ignore-scripts`: {found.strip()}"
            elif not re.search("--(?:require-hashes|no-index|no-build-isolation)", found):
                yield f"not `pip install --require-hashes`: {found.strip()}"


def problems(root: Path = ROOT) -> list[str]:
    """Check every lock and every script of the project, and return what breaks a rule."""
    locks = [root / "scripts" / "lock.requirements"]
    for pattern in ("*.lock", "scripts/**/*.lock", "tests/**/*.lock"):
        # Those that begin with a dot are what programs lock with, as scripts/bootstrap does.
        locks += [path for path in root.glob(pattern) if not path.name.startswith(".")]
    found = [(path, problems_of_requirements(path.read_text("utf-8"))) for path in sorted(locks)]
    spectral = root / "scripts" / "spectral"
    package, lock = ((spectral / f"{it}.json").read_text("utf-8") for it in ("package", "npm-shrinkwrap"))
    found.append((spectral, problems_of_npm(package, lock)))
    programs = sorted([root / ".ci" / "run", *(root / "scripts").iterdir()])
    scripts = [path for path in programs if path.is_file() and path.read_bytes().startswith(b"#!")]
    found += [(path, problems_of_script(path.read_text("utf-8"))) for path in scripts]
    return [f"{path.relative_to(root)}: {said}" for path, several in found for said in several]


if __name__ == "__main__":
    said = problems()
    print("\n".join(said))
    sys.exit(bool(said))
