"""What changed between two API documents, and what of it breaks programs."""
