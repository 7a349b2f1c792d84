"""The public names, and that the part stands alone."""

import os
import subprocess
import sys

import farandole.schemas


def test_the_public_names_are_these() -> None:
    assert farandole.schemas.__all__ == sorted(farandole.schemas.__all__)
    assert all(hasattr(farandole.schemas, name) for name in farandole.schemas.__all__)


def test_a_package_of_events_needs_nothing_but_schemas() -> None:
    code = "import sys, farandole.schemas; print([m for m in sys.modules if m.startswith(('aiokafka', 'farandole.'))])"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env).stdout
    assert "aiokafka" not in out
    assert "farandole.eventstore" not in out
    assert "farandole.reactors" not in out
