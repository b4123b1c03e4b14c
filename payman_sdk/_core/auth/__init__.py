"""Decide which token a request gets."""
