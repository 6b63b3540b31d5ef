"""Real programs at the far end of our outputs, for tests and measurements: each is started, used and ended here."""
