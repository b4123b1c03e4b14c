"""The operations tagged agent."""
