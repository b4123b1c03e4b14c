"""Templates, and how somebody's words are shown: as text that can be neither markup nor turn the text around it."""

from __future__ import annotations

from functools import cache
from typing import Any, cast
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from payman_sdk.sandbox.markdown import moment
from payman_sdk.sandbox.web.guards import PAGE

_LONGEST = 200


def visible(text: str) -> str:
    """The text with what has no shape of its own, such as controls and turns of direction, made visible."""
    return "".join(
        character if character.isprintable() or character in "\n\t" else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def _finalized(value: Any) -> Any:
    # Whatever a template shows goes through here; markup is the templates' own.
    return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def said(text: str | None) -> Markup:
    """Somebody's name or words on one line, set apart from what is around them."""
    line = " ".join(visible(text or "").split())
    return Markup("<bdi>{}</bdi>").format(line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…")


def link(path: str, **query: object) -> str:
    """An address of the page."""
    return f"{PAGE}/{path}?{urlencode(query)}" if query else f"{PAGE}/{path}"


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("payman_sdk.sandbox.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalized,
    )
    templates.filters.update(said=said, moment=moment)
    cast("dict[str, Any]", templates.globals).update(link=link, page=PAGE)
    return templates


def rendered(template: str, **shown: Any) -> str:
    """A page."""
    return _templates().get_template(template).render(**shown)
