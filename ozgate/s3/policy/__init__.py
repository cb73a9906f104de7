"""Who may do what: actions on resources, decided by Ozone's rights and lists."""
