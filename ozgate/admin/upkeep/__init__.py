"""What looks after everything that is stored: scrub, fsck, backup, restore."""
