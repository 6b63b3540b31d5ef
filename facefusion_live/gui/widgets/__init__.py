"""Small widgets that the panels are made of. They know the table of settings and the store, and no session."""
