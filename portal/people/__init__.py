"""Who may log in: organizations, users and their roles."""
