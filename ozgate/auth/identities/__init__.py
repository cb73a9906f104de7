"""Users, groups, policies and keys: who is who, changed by interactions that IAM's calls and the admin commands share."""
