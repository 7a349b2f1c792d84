"""Secrets come from the environment or from a file that it names, in one way for all of them."""

from pathlib import Path

import pytest

from farandole.cli.errors import CliError
from farandole.cli.serving import _secret
from farandole.schemas.access import told_secret


def test_a_value_goes_before_a_file_and_without_both_there_is_none(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("of the file\r\n")
    assert told_secret({"X_FILE": str(file)}, "X") == "of the file"
    assert told_secret({"X_FILE": str(file), "X": "said"}, "X") == "said"
    assert told_secret({}, "X") == told_secret({"X": "", "X_FILE": ""}, "X") == ""


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"], ids=["missing", "empty", "blank", "no text"])
def test_a_file_that_says_none_is_an_error_and_not_no_secret(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValueError, match=r"^X_FILE names a file that"):
        told_secret({"X_FILE": str(file)}, "X")


def test_a_server_reads_its_own_in_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    file.write_text("of the file\n")
    monkeypatch.setenv("FARANDOLE_SECRET_FILE", str(file))
    monkeypatch.setenv("FARANDOLE_SECRET", "said")
    assert _secret("FARANDOLE_SECRET") == "said"
    monkeypatch.delenv("FARANDOLE_SECRET")
    assert _secret("FARANDOLE_SECRET") == "of the file"
    file.write_text("")
    with pytest.raises(CliError, match="FARANDOLE_SECRET_FILE"):
        _secret("FARANDOLE_SECRET")
