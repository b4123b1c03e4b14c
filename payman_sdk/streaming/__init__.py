"""Bytes to server-sent events to typed events to the final task."""
