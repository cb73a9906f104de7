"""The door to bytes: on their way into blobs, and out of them."""
