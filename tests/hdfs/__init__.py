"""Tests over a real HDFS, which ``python -m tests.engines hdfs`` starts; skipped where there is none."""
