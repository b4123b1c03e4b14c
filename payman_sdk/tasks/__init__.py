"""What happens to an ask: build it, send it, read how it ended. Flows without I/O."""
