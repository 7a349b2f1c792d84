"""The scripted agent in each system, a module each."""
