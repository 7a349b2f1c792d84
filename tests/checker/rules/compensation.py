"""Compensation: section 18."""
