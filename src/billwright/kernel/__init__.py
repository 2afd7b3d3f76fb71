"""The vocabulary every part speaks; it does no I/O."""
