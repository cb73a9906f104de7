"""What each S3 operation does: one module a family, functions with the operation's name."""
