"""The stores that flows are run on."""

from pathlib import Path

import pytest

STORES = ["memory", "sqlite", pytest.param("kafka", marks=pytest.mark.kafka)]


@pytest.fixture(params=STORES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new log can be made, of each kind of store."""
    if request.param == "memory":
        return f"memory://{tmp_path.name.replace('[', '-').replace(']', '')}"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'flow.db'}"
    return f"kafka://{request.getfixturevalue('kafka')}"
