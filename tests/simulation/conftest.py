"""The simulation takes minutes of both cores, so it is run on purpose: ``FARANDOLE_SIMULATION=1 pytest tests/simulation``."""

import os

collect_ignore_glob = [] if os.environ.get("FARANDOLE_SIMULATION") == "1" else ["test_*.py"]
