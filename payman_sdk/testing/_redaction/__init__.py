"""Keep secrets out of recordings."""
