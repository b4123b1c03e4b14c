"""The operations tagged tasks."""
