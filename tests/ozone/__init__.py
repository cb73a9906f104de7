"""Tests over a real cluster of Apache Ozone, which :mod:`tests.engines` starts; without one they are skipped."""
