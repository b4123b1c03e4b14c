"""The figures that the code is held to, each with its limit; `scripts/metrics` prints them.

Lines are counted without blank lines, comments and docstrings. A limit that is above its goal is a ratchet: it is what the code
had when it was last lowered, and it is never raised.
"""

import ast
import contextlib
import io
import re
import sys
import tempfile
import tokenize
from collections import Counter, defaultdict
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import grimp
from coverage import Coverage
from poetry.core.masonry import api as masonry

ROOT = Path(__file__).parent.parent
PACKAGE = "payman_sdk"
_EXTRAS = ("sandbox", "testing", "agents", "_cli")
"""Parts of the package that are counted apart: an ask passes through none of them."""

_NOT_A_PARTICIPLE = frozenset({"embed", "exceed", "proceed", "speed"})
_IRREGULAR = {
    *("told", "found", "heard", "known", "kept", "sent", "said", "given", "taken", "made"),
    *("done", "gone", "seen", "shown", "written", "left", "held", "built", "begun"),
}

_LAYOUT = frozenset(
    getattr(tokenize, name)
    for name in ("COMMENT", "NL", "NEWLINE", "INDENT", "DEDENT", "ENDMARKER", "ENCODING")
)
"""Kinds of tokens that do not count."""


class Metric(NamedTuple):
    """One figure.

    Attributes:
        name: What is measured.
        value: The figure.
        limit: What it may be at most.
        goal: What it is to become, where the limit is a ratchet.
        unit: What is counted.
        examples: What counts, where that is not plain.
    """

    name: str
    value: float
    limit: float
    goal: float
    unit: str
    examples: tuple[str, ...] = ()

    @property
    def is_kept(self) -> bool:
        """Whether the figure is within its limit."""
        return self.value <= self.limit

    def __str__(self) -> str:
        bound = f"limit {self.limit:g}" + (f", goal {self.goal:g}" if self.goal < self.limit else "")
        shown = f": {', '.join(self.examples[:8])}" if self.examples and not self.is_kept else ""
        mark = "" if self.is_kept else "  ABOVE ITS LIMIT"
        return f"{self.name:<52} {self.value:>9,.1f} {self.unit:<9} ({bound}){mark}{shown}"


def find_modules(root: Path, package: str = PACKAGE) -> dict[str, Path]:
    """Return the modules of a package by their dotted names."""
    files = sorted((root / package).rglob("*.py"))
    names = (".".join(file.relative_to(root).with_suffix("").parts) for file in files)
    return {name.removesuffix(".__init__"): file for name, file in zip(names, files, strict=True)}


def is_participle(name: str) -> bool:
    """Return whether a function is named by a bare participle, such as `told` or `_resolved`."""
    bare = name.strip("_")
    if "_" in bare or bare in _NOT_A_PARTICIPLE:
        return False
    return bare in _IRREGULAR or (bare.endswith("ed") and len(bare) > 4)


def is_gerund(name: str) -> bool:
    """Return whether a module is named by a gerund, such as `asking`."""
    last = name.rpartition(".")[2].strip("_")
    return "_" not in last and last.endswith("ing") and last not in _NOUNS


_NOUNS = {
    *("string", "setting", "thing", "logging", "testing", "tracking", "polling", "formatting", "rendering"),
}
"""Nouns of the field: `logging`, `polling` and the like are what everybody calls them."""


def count_lines(source: str) -> int:
    """Count the lines of code: without blank lines, comments and docstrings."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _LAYOUT:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        match node:  # pyright: ignore[reportMatchNotExhaustive] - most nodes are not text
            case ast.Expr(ast.Constant(str()), end_lineno=int(end)):  # a docstring, or what describes a name
                lines.difference_update(range(node.lineno, end + 1))
    return len(lines)


def measure_names(trees: Mapping[str, ast.AST]) -> list[Metric]:
    """Measure names: participles among functions, gerunds among modules, classes that share a name."""
    functions: list[str] = []
    classes: dict[str, set[str]] = defaultdict(set)
    for module, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                decorators = " ".join(map(ast.dump, node.decorator_list))
                if not node.name.startswith("__") and not re.search("property|setter", decorators):
                    functions.append(node.name)
            elif isinstance(node, ast.ClassDef):
                classes[node.name].add(module)
    participles = Counter(name for name in functions if is_participle(name))
    gerunds = [module for module in trees if is_gerund(module)]
    twice = [f"{name} ({', '.join(sorted(its))})" for name, its in sorted(classes.items()) if len(its) > 1]
    share = 100 * sum(participles.values()) / max(1, len(functions))
    share_of_gerunds = 100 * len(gerunds) / max(1, len(trees))
    return [
        Metric("bare participles among function names", share, 3, 3, "%", tuple(participles)),
        Metric("gerunds among module names", share_of_gerunds, 3, 3, "%", tuple(gerunds)),
        Metric("class names in more than one module", len(twice), *LIMITS["classes"], "names", tuple(twice)),
    ]


def measure_circles(package: str = PACKAGE) -> Metric:
    """Measure whether modules import each other in a circle; imports for type checkers, and in functions, count."""
    graph = grimp.build_graph(package, cache_dir=None)
    shown: tuple[str, ...] = ()
    try:
        TopologicalSorter({it: graph.find_modules_directly_imported_by(it) for it in graph.modules}).prepare()
    except CycleError as error:
        shown = (" ⇄ ".join(sorted(set(error.args[1]))),)
    return Metric("import circles of files", len(shown), 0, 0, "circles", shown)


def count_modules_per_ask() -> int:
    """Count the modules of the SDK whose functions one ask calls: the second ask of a client, against the sandbox."""
    from payman_sdk.sandbox import Sandbox

    ours = Coverage(None, config_file=False, include=f"*/{PACKAGE}/*", omit=f"*/{PACKAGE}/sandbox/*")
    with Sandbox() as sandbox, sandbox.client() as client:
        client.ask("list all wallets")
        with ours.collect():
            client.ask("list all wallets")
    return len(ours.get_data().measured_files())


def measure_lines(root: Path, modules: Mapping[str, Path]) -> list[Metric]:
    """Measure lines of code, of what every client needs and of the scripts."""
    apart = re.compile(rf"{PACKAGE}\.({'|'.join(_EXTRAS)})\b")
    core = sum(count_lines(modules[name].read_text("utf-8")) for name in modules if not apart.match(name))
    scripts = sum(count_lines(file.read_text("utf-8")) for file in (root / "scripts").rglob("*.py"))
    return [
        Metric(f"lines outside {', '.join(_EXTRAS)}", core, *LIMITS["lines"], "lines"),
        Metric("lines of scripts", scripts, *LIMITS["scripts"], "lines"),
    ]


def measure_wheel(root: Path) -> float:
    """Build the wheel and return its size in KiB."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(root):
        return (Path(folder) / masonry.build_wheel(folder)).stat().st_size / 1024


LIMITS: dict[str, tuple[float, float]] = {
    "classes": (0, 0),
    "modules": (21, 12),
    "lines": (14020, 7500),
    "scripts": (5500, 5500),
    "wheel": (700, 700),
}
"""The limit and the goal of each figure that may be a ratchet; those of lines leave room for ten at most where they were lowered last."""


def measure(root: Path = ROOT) -> list[Metric]:
    """Measure everything."""
    modules = find_modules(root)
    trees = {module: ast.parse(file.read_text("utf-8")) for module, file in modules.items()}
    return [
        *measure_names(trees),
        measure_circles(),
        Metric("modules that one ask passes through", count_modules_per_ask(), *LIMITS["modules"], "modules"),
        *measure_lines(root, modules),
        Metric("size of the wheel", measure_wheel(root), *LIMITS["wheel"], "KiB"),
    ]


def main() -> int:
    """Print the figures; return 1 if one is above its limit."""
    metrics = measure()
    print(*metrics, sep="\n")
    return 0 if all(metric.is_kept for metric in metrics) else 1


if __name__ == "__main__":
    sys.exit(main())
