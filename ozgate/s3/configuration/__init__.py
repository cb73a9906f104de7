"""The documents of a bucket's configuration: a module a document, with its value, its declaration and its name in the rows.

What a request does with them is in :mod:`ozgate.s3.perform`; what they decide, where that is decided.
"""
