"""Templates, and how somebody's words are shown: as text that can be neither markup nor turn the text around it."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Any, cast
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from payman_sdk._text.sanitizer import sanitize
from payman_sdk.sandbox._web.origins import PAGE

_LONGEST = 200


def _sanitize_value(value: Any) -> Any:
    # Whatever a template shows goes through here; markup is the templates' own.
    return sanitize(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def isolate_text(text: str | None, max_length: int = _LONGEST) -> Markup:
    """Somebody's name or words on one line, set apart from what is around them; a cut says how much is missing."""
    line = sanitize((text or "").strip(), one_line=True, max_length=max_length)
    return Markup("<bdi>{}</bdi>").format(line)


def moment(nanoseconds: int) -> str:
    """Return a time to the second, in UTC."""
    return f"{dt.datetime.fromtimestamp(nanoseconds // 1_000_000_000, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"


def build_link(path: str, **query: object) -> str:
    """Return an address of the page."""
    return f"{PAGE}/{path}?{urlencode(query)}" if query else f"{PAGE}/{path}"


@cache
def _load_templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("payman_sdk.sandbox._web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_sanitize_value,
    )
    templates.filters.update(said=isolate_text, moment=moment)
    cast("dict[str, Any]", templates.globals).update(link=build_link, page=PAGE)
    return templates


def render_template(template: str, **shown: Any) -> str:
    """Return a page."""
    return _load_templates().get_template(template).render(**shown)
