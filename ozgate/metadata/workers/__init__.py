"""Writes of worker processes: they are sent to the one process that writes, and answered when they are durable."""
