"""Carry out what flows decide: sockets, threads, event loops, files."""
