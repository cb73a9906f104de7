"""``ozgate admin user|group|policy|key``: who there is, and what they may do."""
