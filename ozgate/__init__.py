"""ozgate: an S3 gateway on Twisted, over pluggable metadata and blob stores."""

__version__ = "0.1.0"
