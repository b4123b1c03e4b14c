"""Shows the `Example:` of docstrings as code: griffe knows the section by the name of `Examples:` only."""

import re
import textwrap
from typing import Any

import griffe

_EXAMPLE = re.compile(r"^Example:\n(?P<code>(?:[ ]{4}.*\n?|\n)+)", re.MULTILINE)


def _as_code(found: re.Match[str]) -> str:
    """The section under the name that griffe knows; what is no session of an interpreter is fenced as a program."""
    code = textwrap.dedent(found["code"]).strip("\n")
    fenced = code if ">>>" in code else f"```python\n{code}\n```"
    return f"Examples:\n{textwrap.indent(fenced, '    ')}\n"


class Examples(griffe.Extension):
    """Rewrites the docstrings of every object that griffe reads."""

    def on_instance(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rewrites one."""
        if obj.docstring is not None:
            obj.docstring.value = _EXAMPLE.sub(_as_code, obj.docstring.value)
