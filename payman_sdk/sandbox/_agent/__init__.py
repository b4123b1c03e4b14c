"""The sandbox's agent: what it understands, does and says."""
