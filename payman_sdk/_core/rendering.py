"""Answers as a notebook shows them. What the agent says is markdown, and nothing in it may act: no HTML, no image, no odd link."""

from __future__ import annotations

import re

from payman_sdk._text.sanitizer import sanitize

_ACTIVE = re.compile(
    r"[<&]"  # HTML
    r"|!(?=\[)"  # an image, which is fetched without a click
    r"|(?<=\])\((?!\s*(?:https?://|mailto:))"  # a link to anything but a page or an address
    r"|(?<=\])(?=:)",  # where a link leads that is written elsewhere
    re.IGNORECASE,
)
_ESCAPES = {"<": "&lt;", "&": "&amp;"}


def escape_markdown(text: str) -> str:
    """Return markdown in which nothing acts; tables, lists and links to pages stay."""
    return _ACTIVE.sub(lambda found: _ESCAPES.get(found[0], f"\\{found[0]}"), sanitize(text))


def render_answer(status: str, state: str, text: str, task_id: str, is_final: bool) -> str:
    r"""Return an answer as markdown, with the state of its task where that is not "completed".

    Example:
        >>> from payman_sdk._core.rendering import render_answer
        >>> render_answer("failed", "rejected", "No <b>funds</b>.", "tsk-1", True)
        '**Failed** · rejected · `tsk-1`\n\nNo &lt;b>funds&lt;/b>.'
    """
    shown = escape_markdown(text)
    if status == "completed":
        return shown
    title = "Failed" if status == "failed" else "Ended" if is_final else "Waiting"
    code = re.sub(r"[^\w.:-]", "", task_id)
    return f"**{title}** · {escape_markdown(state)} · `{code}`\n\n{shown}"
