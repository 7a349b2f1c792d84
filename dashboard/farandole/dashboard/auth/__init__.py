"""The door: who asks, how they show it, and what they may do."""
