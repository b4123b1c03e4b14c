"""From the API document to the client, and what a change of the one means for the other: scripts/regenerate."""


class RegenerationError(Exception):
    """Why nothing was written; the message is for the person who ran the script."""
