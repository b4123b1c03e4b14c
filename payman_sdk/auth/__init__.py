"""How a request gets its token."""
