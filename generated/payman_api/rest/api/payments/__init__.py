"""The operations tagged payments."""
