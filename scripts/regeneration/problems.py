"""What is said when nothing can be written."""

from __future__ import annotations


class RegenerationError(Exception):
    """Why nothing was written; the message is for the person who ran the script."""
