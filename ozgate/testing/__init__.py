"""Shipped test tools: contract suites for providers, and an in-memory gateway."""
