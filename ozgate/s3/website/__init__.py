"""Buckets as websites, on a listener of their own: serving.py is the site, by visiting.py, routing.py and pages.py."""
