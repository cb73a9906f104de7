"""Who may do what: from an operation's action to Ozone's rights, and the evaluator."""
