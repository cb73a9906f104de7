"""Who may do what: actions on resources, and Ozone's rights and lists, which decide today."""
