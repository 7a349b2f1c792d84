"""The same seeds in another process, in which nothing ran before and sets have another order."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path


def digests_elsewhere(seeds: Iterable[int], made_up: bool = False) -> list[str]:
    """What the logs of these seeds come to there."""
    dances = "generated.build" if made_up else "dances"
    each = f"run_seed(seed, dances=dances_of).digest for seed in {list(seeds)}"
    code = f"from simulation import run_seed; from simulation.{dances} import dances_of; print(*({each}))"
    path = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, sys.path)])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "4711"}
    other = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return other.stdout.split()
