"""A virtual machine with kernel cameras: `prepare`, `run`, and `guest`, which is what runs in it."""
