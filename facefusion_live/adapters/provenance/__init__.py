"""What tells, in and beside a picture, that it is synthesised."""
