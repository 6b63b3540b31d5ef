"""What is fetched from elsewhere, and only when somebody asks for it."""
