"""What one gateway is made of, and every call shares."""
