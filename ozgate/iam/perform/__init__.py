"""What each action of IAM and STS does: a module a family."""
