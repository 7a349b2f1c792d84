"""Rules of admission for what long-running processes need, one file for each."""
