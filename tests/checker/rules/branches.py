"""Branches and fan-in: section 13."""
