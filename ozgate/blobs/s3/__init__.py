"""Blobs in a bucket of any S3 engine: an object for each, under an id that is made when it is put."""
