"""The whole stack on this machine, without Docker: for looking, and for asking whether all of it fits together."""
