"""The fault campaign: real workers of the order example on a real log, faults on purpose, and then the judge.

A *cell* is one fault with its amounts. It runs load, does harm by a schedule that follows from its seed, heals, waits
until nothing is owed, and lets the independent checker read the whole log. ``python -m chaos`` (with ``tests/`` on the
path) runs all cells and writes a report; `test_cells` runs a share of them, with smaller amounts.
"""
