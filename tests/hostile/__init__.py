"""Hostile records: made from a seed, written to the log of workers that are at work, and accounted for one by one."""
