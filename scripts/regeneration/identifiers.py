"""Names of Python for what an API document calls by any name."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Collection, Iterable

_RESERVED = frozenset(
    {
        *dir(builtins),
        *keyword.kwlist,
        "self",
        "cls",
        "datetime",
        "mro",
        "to_dict",
        "from_dict",
        "to_multipart",
    }
    | {"additional_properties", "additional_keys"}
) - {"id"}
"""Members, parameters and modules of these names get an underscore: Python or the generated code uses them."""
ARGUMENTS = ("client", "body", "auth")
"""Parameters of these names get a number: functions have such arguments anyway."""
CLASSES = frozenset(
    [
        "Any",
        "Literal",
        "Self",
        "Unset",
        "UNSET",
        "Model",
        "OpenModel",
        "Other",
        "File",
        "Enum",
        "StrEnum",
        "IntEnum",
        "Mapping",
        "UUID",
        "Response",
        "Client",
        "AuthenticatedClient",
        "Iterator",
        "AsyncIterator",
        "TYPE_CHECKING",
        "None",
        "True",
        "False",
    ]
)
"""Classes of these names get an underscore."""


def split_words(text: str) -> list[str]:
    """Split a name at capitals and at whatever is neither a letter nor a digit."""
    text = unicodedata.normalize("NFKC", text).replace("OAuth", "Oauth")
    return re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\dA-Z_]+|\d+[a-z]*|[^\W_]+", text)


def to_variable(name: str) -> str:
    """Give the name of a member, a parameter, a function or a module."""
    words = [word.lower() for word in split_words(name)]
    found = "_".join(words)
    # What has these underscores already is left alone.
    if name.isidentifier() and name == name.lower() and not name.startswith("_"):
        found = unicodedata.normalize("NFKC", name)
    if not found.isidentifier() and not keyword.iskeyword(found):
        found = f"field_{found}".rstrip("_") if found else "field"
    return f"{found}_" if found in _RESERVED else found


def to_class(name: str) -> str:
    """Give the name of a class."""
    plain = unicodedata.normalize("NFKC", name)
    found = plain if plain.isidentifier() and plain[0].isupper() and "_" not in plain else ""
    found = found or "".join(word[0].upper() + word[1:] for word in split_words(name)) or "Schema"
    found = found if found.isidentifier() else f"Model{found}"
    return f"{found}_" if found in CLASSES or found in dir(builtins) or keyword.iskeyword(found) else found


def to_constant(value: object) -> str:
    """Give the name of a member of an enum."""
    if isinstance(value, int):
        return f"VALUE_{value}" if value >= 0 else f"VALUE_NEGATIVE_{-value}"
    found = "_".join(split_words(str(value))).upper()
    return found if found.isidentifier() and found != "MRO" else f"VALUE_{found}".rstrip("_")


def make_unique(name: str, taken: Collection[str]) -> str:
    """Give a name, with a number behind it where it is taken."""
    found, number = name, 2
    while found in taken:
        separator = "" if name[:1].isupper() and "_" not in name else "_"
        found, number = f"{name}{separator}{number}", number + 1
    return found


def name_all(names: Iterable[str], taken: Collection[str] = ()) -> dict[str, str]:
    """Give each name its variable; one that can keep its name keeps it, whatever comes before it."""
    names = list(names)
    chosen = {name: name for name in names if to_variable(name) == name and name not in taken}
    for name in names:
        if name not in chosen:
            chosen[name] = make_unique(to_variable(name), {*chosen.values(), *taken})
    return {name: chosen[name] for name in names}
