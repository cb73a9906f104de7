"""HTTP as bytes. Knows Twisted; knows no S3."""
