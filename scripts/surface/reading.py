"""From source code to facts about the public surface. griffe reads the code; nothing of it is run."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

from griffe import Alias, AliasResolutionError, Class, ExprSubscript, Function, GriffeLoader, Module, Object

from scripts.surface.classes import Reader, describe_function, list_subscripts
from scripts.surface.record import Fact
from scripts.surface.signatures import type_text


def announced(plugin: Module) -> Iterator[Fact]:
    """The facts about settings (`parser.addini`) and markers (`config.addinivalue_line`) of a plugin: names are text, or constants."""

    def text(node: ast.expr | None) -> str | None:
        if isinstance(node, ast.Name) and node.id in plugin.attributes:
            node = ast.parse(str(plugin.attributes[node.id].value), mode="eval").body
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None

    for node in ast.walk(ast.parse("\n".join(plugin.lines))):
        match node:
            case ast.Call(func=ast.Attribute(attr="addini"), args=[name, *_]) if setting := text(name):
                kind = next((text(word.value) for word in node.keywords if word.arg == "type"), None)
                yield Fact(f"pytest.ini.{setting}", "setting", kind or "string")
            case ast.Call(
                func=ast.Attribute(attr="addinivalue_line"), args=[ast.Constant(value="markers"), line]
            ) if marker := text(line):
                yield Fact(f"pytest.mark.{marker.partition(':')[0].partition('(')[0]}", "marker")


ALL = "the names in __all__"
CLASSES = "the classes that are defined there"
FIXTURES = "the fixtures, settings and markers"

_PUBLIC = tomllib.loads(Path(__file__).with_name("public.toml").read_text("utf-8"))
PLACES: dict[str, list[str]] = _PUBLIC["modules"]
"""What is public of each module that users import from."""
NOT_FOR_USERS: frozenset[str] = frozenset(_PUBLIC["internal"]["names"])
"""What has a public name for the SDK's own sake."""

_FOLDERS = (".", "generated")


class UnreadableError(Exception):
    """The code cannot be read; the message says why."""


def facts_of(root: Path) -> list[Fact]:
    """The facts about the package in a tree of files.

    Raises:
        UnreadableError: There is no such package, or a public name leads nowhere.
    """
    loader = GriffeLoader(search_paths=[root / folder for folder in _FOLDERS], allow_inspection=False)
    try:
        loader.load("payman_sdk", try_relative_path=False)
        if (root / "generated" / "payman_api").is_dir():
            loader.load("payman_api", try_relative_path=False)
    except (ImportError, SyntaxError) as error:
        raise UnreadableError(f"payman_sdk in {root} cannot be read: {error}") from error

    found: list[Fact] = []
    paths: dict[str, Object] = {}
    for module, names in _modules(loader):
        if FIXTURES in PLACES[module.path]:
            found += announced(module)
        for name in names:
            paths[f"{module.path}.{name}"] = _meant(module, name)
    # The shortest path is what a thing is recorded under; it may well be defined elsewhere.
    longest_first = sorted(paths, key=lambda path: (path.count("."), path), reverse=True)
    home = {paths[path].path: path for path in longest_first}

    read = Reader(home, loader)
    for path, thing in paths.items():
        if home[thing.path] != path:
            found.append(Fact(path, "same as", home[thing.path]))
        elif isinstance(thing, Class):
            found += read.facts(thing, path)
        else:
            found += _plain(thing, path)
    return sorted(fact for fact in set(found) if fact.path not in NOT_FOR_USERS)


def _modules(loader: GriffeLoader) -> Iterator[tuple[Module, list[str]]]:
    """The public modules that there are, and the public names of each."""
    for path, rule in PLACES.items():
        try:
            module = loader.modules_collection[path]
        except KeyError:
            continue
        names = {name for name in rule if name in module.members}
        if ALL in rule:
            names |= {str(name) for name in module.exports or []}
        own = {
            name: it for name, it in module.members.items() if not it.is_alias and not name.startswith("_")
        }
        if CLASSES in rule:
            names |= {name for name, member in own.items() if member.is_class}
        if FIXTURES in rule:
            names |= {name for name, member in own.items() if _fixture(member) is not None}
        yield module, sorted(names)


def _meant(module: Module, name: str) -> Object:
    """What a name stands for in the end."""
    member = module.members.get(name)
    try:
        thing = member.final_target if isinstance(member, Alias) else member
    except AliasResolutionError as error:
        raise UnreadableError(f"{module.path}.{name} leads nowhere: {error}") from error
    # A function that has the name of its module takes that one's place at run time.
    if isinstance(thing, Module):
        thing = thing.members.get(name)  # type: ignore[assignment]
    if not isinstance(thing, Object):
        raise UnreadableError(f"{module.path}.{name} is announced, and is not there.")
    return thing


def _plain(thing: Object, path: str) -> Iterator[Fact]:
    """The facts about a function, a fixture, a type or a constant."""
    if (scope := _fixture(thing)) is not None:
        yield Fact(path, "fixture", scope)
    elif isinstance(thing, Function):
        yield from describe_function(thing, path)
    elif "TypeAlias" in str(getattr(thing, "annotation", None)):
        yield Fact(path, "alias", type_text(thing.value))  # type: ignore[attr-defined]
    else:
        yield Fact(path, "constant", type_text(getattr(thing, "annotation", None)))


def _fixture(thing: Object | Alias) -> str | None:
    """What a fixture gives, None if it is none."""
    if not isinstance(thing, Function) or not any(
        decorator.callable_path == "pytest.fixture" for decorator in thing.decorators
    ):
        return None
    given = thing.returns
    is_generator = isinstance(given, ExprSubscript) and str(given.left) in ("Iterator", "Generator")
    return type_text(list_subscripts(given)[0] if is_generator else given)
