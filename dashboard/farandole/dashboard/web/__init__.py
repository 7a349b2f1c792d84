"""What surrounds every answer: headers that browsers heed, limits, and problems in words."""
