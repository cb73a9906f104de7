"""The rows of metadata, declared once for every database: their columns, their values, and the check that each row carries."""
