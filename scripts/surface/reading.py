"""From source code to facts about the public surface. griffe reads the code; nothing of it is run."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe

from scripts.surface.facts import Fact, describe_class, describe_function, list_subscripts, type_text


class WrittenInit(griffe.Extension):
    """Lets griffe write the `__init__` of attrs classes and of named tuples, as it does for dataclasses."""

    def on_class_members(self, *, cls: griffe.Class, **kwargs: Any) -> None:
        """Show a class as a dataclass, if it is one of these."""
        bases = [base.canonical_path for base in cls.bases if isinstance(base, griffe.Expr)]
        if any(base.endswith(".NamedTuple") for base in bases):
            frozen = griffe.ExprName("attrs.frozen")
            cls.decorators.append(griffe.Decorator(frozen, lineno=None, endlineno=None))
        for decorator in cls.decorators:
            if (kind := decorator.callable_path) in ("attrs.define", "attrs.frozen", "attrs.mutable"):
                given = decorator.value.arguments if isinstance(decorator.value, griffe.ExprCall) else []
                first = griffe.ExprKeyword("frozen", str(kind == "attrs.frozen"))
                decorator.value = griffe.ExprCall(griffe.ExprName("dataclasses.dataclass"), [first, *given])
        for attribute in cls.attributes.values():
            value = attribute.value
            if isinstance(value, griffe.ExprCall) and value.canonical_path == "attrs.field":
                value.function = griffe.ExprName("dataclasses.field")
                for keyword in value.arguments:
                    if isinstance(keyword, griffe.ExprKeyword) and keyword.name == "factory":
                        keyword.name = "default_factory"
        new = cls.members.get("__new__")
        if isinstance(new, griffe.Function) and "__init__" not in cls.members:
            cls.set_member("__init__", griffe.Function("__init__", parameters=new.parameters, returns="None"))


def announced(plugin: griffe.Module) -> Iterator[Fact]:
    """The facts about settings (`parser.addini`) and markers (`config.addinivalue_line`) of a plugin: names are text, or constants."""

    def text(node: ast.expr | None) -> str | None:
        if isinstance(node, ast.Name) and node.id in plugin.attributes:
            node = ast.parse(str(plugin.attributes[node.id].value), mode="eval").body
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None

    for node in ast.walk(ast.parse("\n".join(plugin.lines))):
        match node:  # pyright: ignore[reportMatchNotExhaustive] - most kinds announce nothing
            case ast.Call(func=ast.Attribute(attr="addini"), args=[name, *_]) if setting := text(name):
                kind = next((text(word.value) for word in node.keywords if word.arg == "type"), None)
                yield Fact(f"pytest.ini.{setting}", "setting", kind or "string")
            case ast.Call(ast.Attribute(attr="addinivalue_line"), [ast.Constant("markers"), line]):
                if marker := text(line):
                    yield Fact(f"pytest.mark.{marker.partition(':')[0].partition('(')[0]}", "marker")


ALL = "the names in __all__"
FIXTURES = "the fixtures, settings and markers"

_PUBLIC = Path(__file__).with_name("public.toml")


def read_public(root: Path) -> dict[str, Any]:
    """What is public of each module, and what has a public name for the SDK's own sake, as a tree of files has it."""
    file = root / "scripts" / "surface" / _PUBLIC.name
    return tomllib.loads((file if file.exists() else _PUBLIC).read_text("utf-8"))


class UnreadableError(Exception):
    """The code cannot be read; the message says why."""


def facts_of(root: Path) -> list[Fact]:
    """The facts about the package in a tree of files.

    Raises:
        UnreadableError: There is no such package, or a public name leads nowhere.
    """
    folders, extensions = [root, root / "generated"], griffe.load_extensions(WrittenInit)
    loader = griffe.GriffeLoader(search_paths=folders, allow_inspection=False, extensions=extensions)
    try:
        loader.load("payman_sdk", try_relative_path=False)
        if (root / "generated" / "payman_api").is_dir():
            loader.load("payman_api", try_relative_path=False)
    except (ImportError, SyntaxError, griffe.LoadingError) as error:
        raise UnreadableError(f"payman_sdk in {root} cannot be read: {error}") from error

    public, found = read_public(root), list[Fact]()
    paths: dict[str, griffe.Object] = {}
    for place, rule in public["modules"].items():
        try:
            module = loader.modules_collection[place]
        except KeyError:
            continue
        names = {name for name in rule if name in module.members}
        if ALL in rule:
            names |= {str(name) for name in module.exports or []}
        if FIXTURES in rule:
            found += announced(module)
            names |= {name for name, member in module.functions.items() if _fixture(member) is not None}
        paths |= {f"{place}.{name}": _meant(module, name) for name in names}
    # The shortest path is what a thing is recorded under; it may well be defined elsewhere.
    longest_first = sorted(paths, key=lambda path: (path.count("."), path), reverse=True)
    homes = {paths[path].path: path for path in longest_first}

    for path, thing in paths.items():
        facts = describe_class(thing, path, homes) if isinstance(thing, griffe.Class) else _plain(thing, path)
        if (home := homes[thing.path]) == path:
            found += facts
        else:
            found.append(Fact(path, "same as", home))
            found += (it._replace(home=it.home or home + it.path.removeprefix(path)) for it in facts)
    return sorted(fact for fact in set(found) if not {fact.path, fact.home} & {*public["internal"]["names"]})


def _meant(module: griffe.Module, name: str) -> griffe.Object:
    """What a name stands for in the end."""
    member = module.members.get(name)
    try:
        thing = member.final_target if isinstance(member, griffe.Alias) else member
    except griffe.AliasResolutionError as error:
        raise UnreadableError(f"{module.path}.{name} leads nowhere: {error}") from error
    # A function that has the name of its module takes that one's place at run time.
    if isinstance(thing, griffe.Module):
        thing = thing.members.get(name)  # type: ignore[assignment]
    if not isinstance(thing, griffe.Object):
        raise UnreadableError(f"{module.path}.{name} is announced, and is not there.")
    return thing


def _plain(thing: griffe.Object, path: str) -> Iterator[Fact]:
    """The facts about a function, a fixture, a type or a constant."""
    if (scope := _fixture(thing)) is not None:
        yield Fact(path, "fixture", scope)
    elif isinstance(thing, griffe.Function):
        yield from describe_function(thing, path)
    elif "TypeAlias" in str(getattr(thing, "annotation", None)):
        yield Fact(path, "alias", type_text(thing.value))  # type: ignore[attr-defined]
    else:
        yield Fact(path, "constant", type_text(getattr(thing, "annotation", None)))


def _fixture(thing: griffe.Object | griffe.Alias) -> str | None:
    """What a fixture gives, None if it is none."""
    if not isinstance(thing, griffe.Function):
        return None
    if "pytest.fixture" not in [decorator.callable_path for decorator in thing.decorators]:
        return None
    given = thing.returns
    is_generator = isinstance(given, griffe.ExprSubscript) and str(given.left) in ("Iterator", "Generator")
    return type_text(list_subscripts(given)[0] if is_generator else given)
