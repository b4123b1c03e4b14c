"""Decisions: flows and pure functions, without I/O, clocks or threads."""
