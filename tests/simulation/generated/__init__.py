"""Worlds whose choreography is made up by hypothesis, another one for each seed; all else in them is as in the others."""
