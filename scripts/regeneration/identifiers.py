"""Names of Python for what an API document calls by any name: as openapi-python-client makes them, and each only once."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable
from functools import cache

from openapi_python_client.strings import ClassName, PythonIdentifier, snake_case

PREFIX = "field_"
"""The prefix of a name that Python or the generated code uses, or that begins with a digit."""
_MEMBERS = ("cls", "mro", "to_dict", "from_dict", "additional_properties", "additional_keys")
ARGUMENTS = (
    *("client", "body", "auth", "url"),
    *("build", "build_request", "stream", "astream", "iterate", "aiterate", "parse_event", "parse_answer"),
)
"""Parameters of these names get a number: functions have such arguments or call such functions, or the generator reserves them."""
_CLASSES = (
    *("Any", "Literal", "Self", "Mapping", "UUID", "Iterator", "AsyncIterator", "TYPE_CHECKING"),
    *("Enum", "StrEnum", "IntEnum", "Model", "OpenModel", "Other"),
    *("Unset", "UNSET", "File", "Response", "Client", "AuthenticatedClient"),
    *("HttpOperation", "Styled"),
)
"""Classes of these names are called models: generated code uses them."""


def _plain(name: str) -> str:
    # Python takes an identifier in this form, whatever the form that it is written in.
    return unicodedata.normalize("NFKC", name).replace("OAuth", "Oauth")


@cache
def plain(name: str) -> str:
    """Return a name as it is in every spelling: taskId, task_id and TaskId are one."""
    return name.replace("_", "").replace("-", "").lower()


def to_variable(name: str) -> str:
    """Return the name of a member, a parameter, a function or a module, for which files can be called; the generator keeps it."""
    found = _plain(name)
    for _ in range(3):
        found = str(PythonIdentifier(found, PREFIX))
    return f"{PREFIX}{found}" if found in _MEMBERS else found.encode()[:200].decode(errors="ignore")


def to_class(name: str) -> str:
    """Return the name of a class that has a title."""
    return str(ClassName(name, PREFIX))


def make_title(name: str, taken: Collection[str]) -> str:
    """Return a title that makes a class of a name that is not taken."""
    name = unicodedata.normalize("NFKC", name)
    return make_unique(f"{name} model" if to_class(name) in _CLASSES else name, taken, " ", to_class)


def to_constant(value: object) -> str:
    """Return the name of a member of an enum."""
    if isinstance(value, int):
        return f"VALUE_{value}" if value >= 0 else f"VALUE_NEGATIVE_{-value}"
    found = snake_case(re.sub(r"\W+", "_", _plain(str(value)))).upper()
    return found if found.isidentifier() and found != "MRO" else f"VALUE_{found}".rstrip("_")


def make_unique(name: str, taken: Collection[str], gap: str = "_", spell: Callable[[str], str] = str) -> str:
    """Return a name, with a number behind it where it, as it is spelled, is taken."""
    found, number = name, 2
    while spell(found) in taken:
        found, number = f"{name.rstrip('_')}{gap}{number}", number + 1
    return found


def name_all(names: Iterable[str], taken: Collection[str] = ()) -> dict[str, str]:
    """Return each name its variable; one that can keep its name keeps it, whatever comes before it."""
    names = list(names)
    chosen = {name: name for name in names if to_variable(name) == name and name not in taken}
    for name in names:
        if name not in chosen:
            chosen[name] = make_unique(to_variable(name), {*chosen.values(), *taken})
    return {name: chosen[name] for name in names}
