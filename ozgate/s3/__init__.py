"""S3 as meaning: from an address to an answer. Knows no SQL and no socket."""
