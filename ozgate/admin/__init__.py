"""The admin listener: secrets, volumes, buckets and keys for the command line, health, metrics, configuration."""
