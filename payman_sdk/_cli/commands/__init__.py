"""The commands of `payman`."""
