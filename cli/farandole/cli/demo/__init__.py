"""The demonstration: a bakery of three services, on one log, in one process."""
