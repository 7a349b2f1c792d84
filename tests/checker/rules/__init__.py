"""What is admitted, and what it does: one file for each part of the page."""
