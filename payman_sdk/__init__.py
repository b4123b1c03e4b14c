"""Payman SDK for Python."""
