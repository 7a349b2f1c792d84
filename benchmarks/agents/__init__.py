"""Agents, beside those of other systems: `python -m benchmarks.agents`.

What is measured in the rivals' own environments (`contest`, `script`, `contender`, `rivals`) knows nothing of Farandole,
for it is not installed there.
"""
