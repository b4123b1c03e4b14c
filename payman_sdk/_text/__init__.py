"""Show the words of others safely: sanitized, redacted, shortened. Below everything that raises or logs."""
