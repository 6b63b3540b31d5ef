"""One library each. Adapters import the domain only: never the engine, never each other."""
