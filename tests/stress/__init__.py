"""Interrupts, forks and event loops, thousands of them. The suite runs a few of each; `python -m tests.stress.interrupts` runs many."""
