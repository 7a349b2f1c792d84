"""Imports point only downwards. The contracts are in ``pyproject.toml``."""

import subprocess
import sys
from pathlib import Path


def test_imports_point_only_downwards() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
