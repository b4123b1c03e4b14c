"""The `payman` command. It needs the extra `cli`; `entry` says so where it is not installed."""
