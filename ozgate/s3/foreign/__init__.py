"""What S3's operations do in a bucket of another system: a coroutine each, named in the column ``foreign`` of the table."""
