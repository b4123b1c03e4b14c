"""The operations, by their tags."""
