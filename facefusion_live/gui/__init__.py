"""The window: PySide6 widgets around a live picture. The one floor that knows Qt; the engine does not know it."""
