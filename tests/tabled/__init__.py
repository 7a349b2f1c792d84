"""The rows of a log, in memory: what a database would have, and how that is held against the fold."""
