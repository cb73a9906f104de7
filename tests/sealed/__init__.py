"""Other tests once more, with every byte sealed."""
