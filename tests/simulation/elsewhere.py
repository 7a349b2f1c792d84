"""The same seeds in another process, in which nothing ran before and sets have another order."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path


def digests_elsewhere(seeds: Iterable[int]) -> list[str]:
    """What the logs of these seeds come to there."""
    code = f"from simulation import run_seed; print(*(run_seed(seed).digest for seed in {list(seeds)}))"
    path = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, sys.path)])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "4711"}
    other = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return other.stdout.split()
