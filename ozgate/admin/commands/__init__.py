"""What `ozgate s3`, `ozgate sh` and `ozgate admin` call by name."""
