"""Files that pin what must not drift: schemas and bytes that logs already hold.

A test that fails here says that recorded events, or readers in other languages, may break. If the change is meant, run
the tests with ``UPDATE_GOLDEN=1`` and look at the difference.
"""

import json
import os
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "golden"


def same_as_golden(name: str, data: Any) -> None:
    """Assert that JSON data are those of a golden file."""
    path = FOLDER / name
    text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert json.loads(text) == json.loads(path.read_text())


def golden(name: str) -> Any:
    """The JSON data of a golden file."""
    return json.loads((FOLDER / name).read_text())
