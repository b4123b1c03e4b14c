"""Count the words and sentences that make our prose hard to read: `python -m scripts.prose`.

Each area has a limit in `prose_limits.json`. A limit only falls: `--lower` writes the present figures where they are lower.
`--show docs` prints each finding of an area with its place; `--show told` prints each place of a phrase.
"""

import argparse
import ast
import io
import json
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
LIMITS = Path(__file__).with_name("prose_limits.json")
LONGEST_SENTENCE = 25
"""A sentence with more words is counted."""

UNCLEAR_PHRASES = (
    *("told", "tells", "tell", "stands", "heard", "hears", "learns", "learned", "takes? up again"),
    *("taken up again", "is over", "are over", "gives back", "given back", "holds? against", "is no"),
    *("are no", "of its own", "of their own", "otherwise than", "it is waited", "is waited"),
    *("so it is with", "by then", "wants a person", "none but"),
    # Spelled in American English.
    *(r"(?:colou|honou|behaviou|favou)r\w*", "cancelled", "cancelling", "labelled"),
    r"(?:author|initial|normal|optim|organ|recogn|serial|synchron)is(?:e|es|ed|ing|able|ation)",
)
_UNCLEAR = re.compile(rf"\b(?:{'|'.join(UNCLEAR_PHRASES)})\b(?! longer)(?<!no longer)", re.IGNORECASE)
_FENCE = re.compile(r"^( *)(```|~~~).*?^\1\2[^\n]*$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`[^`\n]+`")
_BREAK = re.compile(  # a new unit, such as an item, or the end of a sentence
    r"\n\s*(?:[-*+|#>]|\d+\. |!!!|\w[\w*, ]*: )|\n\s*\n|\||(?<=[.!?])[\"')*_]*\s+(?=[\"'(*_]*[A-Z0-9`])"
)
_WORD = re.compile(r"[A-Za-z][\w’'-]*")
_REMARK = re.compile(r"^#+!?\s*(?:noqa|type:|pragma|pyright|ruff|nosec|fmt).*")


class Text(NamedTuple):
    """A piece of prose: its area, and where it begins."""

    area: str
    file: Path
    line: int
    text: str


class Finding(NamedTuple):
    """One unclear phrase or long sentence."""

    area: str
    kind: str
    place: str
    text: str


def read_prose(root: Path) -> Iterator[Text]:
    """Yield the prose of README and the other pages, and the docstrings, comments and messages of the package."""
    for page in [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("examples/**/*.md")]:
        area = "README" if page.name == "README.md" and page.parent == root else "docs"
        yield Text(area, page, 1, _strip_markdown(page.read_text(encoding="utf-8")))
    for module in root.glob("payman_sdk/**/*.py"):
        yield from _read_module(module)


def _strip_markdown(text: str) -> str:
    """Blank out what is code, keeping the lines."""
    text = _FENCE.sub(lambda found: "\n" * found[0].count("\n"), text)
    text = re.sub(r"<!--.*?-->", lambda found: "\n" * found[0].count("\n"), text, flags=re.DOTALL)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return _CODE.sub("Code", text)


def _read_module(module: Path) -> Iterator[Text]:
    source = module.read_text(encoding="utf-8")
    seen: set[ast.AST] = set()
    for node in ast.walk(ast.parse(source)):  # what holds a text comes before the text
        match node:  # pyright: ignore[reportMatchNotExhaustive] - most nodes are not text
            case ast.Expr(ast.Constant(str(text)) as value):
                seen.add(value)
                text = re.sub(r"^\s*(?:>>>|\.\.\. ).*$", "", text, flags=re.MULTILINE)
                yield Text("docstrings", module, value.lineno, _CODE.sub("Code", text))
            case ast.JoinedStr(parts):
                seen.update(parts)
                text = "".join(str(it.value) if isinstance(it, ast.Constant) else "it" for it in parts)
                yield from _read_message(module, node.lineno, text)
            case ast.Constant(str(text)) if node not in seen:
                yield from _read_message(module, node.lineno, text)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not _REMARK.match(token.string):
            yield Text("comments", module, token.start[0], _CODE.sub("Code", token.string.lstrip("#! ")))


def _read_message(module: Path, line: int, text: str) -> Iterator[Text]:
    is_code = "\\" in text or re.search(r"\b(?:SELECT|CREATE TABLE) |<\w+[ >]|\{[^}]*:[^}]*;", text)
    if text.count(" ") >= 2 and re.search(r"[a-z] [a-z]", text) and not is_code:
        yield Text("messages", module, line, _CODE.sub("Code", text))


def find_faults(texts: Iterable[Text], root: Path = ROOT) -> Iterator[Finding]:
    """Yield each unclear phrase and each sentence that is too long."""
    for area, file, line, text in texts:
        name = file.relative_to(root)
        for found in _UNCLEAR.finditer(text):
            at = line + text.count("\n", 0, found.start())
            yield Finding(area, "phrase", f"{name}:{at}", found[0])
        start = 0
        for end in [*_BREAK.finditer(text), None]:
            words = _WORD.findall(text[start : end.start() if end else None])
            if len(words) > LONGEST_SENTENCE:
                at = line + text.count("\n", 0, start)
                yield Finding(area, "long", f"{name}:{at}", f"{len(words)} words: {' '.join(words[:9])} …")
            start = end.end() if end else len(text)


def measure(findings: Iterable[Finding]) -> dict[str, int]:
    """Count findings by area and kind."""
    return dict(sorted(Counter(f"{one.area} {one.kind}".removesuffix(" phrase") for one in findings).items()))


def lower_limits(limits: Mapping[str, int], figures: Mapping[str, int]) -> dict[str, int]:
    """Return the limits, each at most what it was; a new area gets its figure."""
    names = sorted({*limits, *figures})
    return {name: min(limits.get(name, figures.get(name, 0)), figures.get(name, 0)) for name in names}


def main(arguments: list[str] | None = None) -> int:
    """Print the figures that exceed their limit; return 1 if one does."""
    about = "Count what makes our prose hard to read."
    parser = argparse.ArgumentParser(prog="python -m scripts.prose", description=about)
    parser.add_argument("--lower", action="store_true", help="lower the limits to the present figures")
    what = "print the findings of an area, or the places of a phrase"
    parser.add_argument("--show", metavar="AREA", help=what)
    options = parser.parse_args(arguments)
    findings = [*find_faults(read_prose(ROOT))]
    if options.show:
        for one in findings:
            if options.show in (one.area, f"{one.area} {one.kind}", one.text.lower()):
                print(f"{one.place}: {one.text}")
        return 0
    figures, limits = measure(findings), json.loads(LIMITS.read_text(encoding="utf-8"))
    if options.lower:
        limits = lower_limits(limits, figures)
        LIMITS.write_text(json.dumps(limits, indent=2) + "\n", encoding="utf-8")
    too_many = {name: count for name, count in figures.items() if count > limits.get(name, 0)}
    for name, count in (too_many if not options.lower else figures).items():
        mark = " ABOVE ITS LIMIT" if name in too_many else ""
        print(f"{name}: {count}, limit {limits.get(name, 0)}{mark} (python -m scripts.prose --show '{name}')")
    return 1 if too_many else 0


if __name__ == "__main__":
    sys.exit(main())
