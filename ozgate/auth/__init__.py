"""Who asks: signatures, chunk signatures, secrets."""
