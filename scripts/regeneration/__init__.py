"""From the API document to the client, and what a change of the one means for the other: scripts/regenerate."""
