"""What the admin listener shows at paths of its own: to people, to monitoring, to Ozone's clients."""
