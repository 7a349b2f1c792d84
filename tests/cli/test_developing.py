"""`dev`: the code changes, and the worker with it."""

import shlex
import shutil
import signal
from pathlib import Path

import pytest

from farandole.cli.developing import look
from farandole.cli.watching import Sources

from .conftest import APPS, Said, run, spawn, until


def test_a_change_of_the_code_takes_effect(tmp_path: Path) -> None:
    shutil.copy(APPS / "shop_app.py", tmp_path)
    app, store = tmp_path / "shop_app.py", f"sqlite:///{tmp_path}/.farandole/dev.db"
    dev = spawn("dev", "shop_app:shop", "--json", cwd=tmp_path)
    try:
        until(lambda: (tmp_path / ".farandole" / "dev.db").exists())
        assert started(tmp_path, store).json["result"] == {"item": "book"}
        app.write_text(app.read_text().replace("Sent(item=run.start.item)", 'Sent(item="changed")'))
        until(lambda: started(tmp_path, store).json["result"] == {"item": "changed"})
        dev.send_signal(signal.SIGINT)
        out, _ = dev.communicate(timeout=30)
    finally:
        dev.kill()
    assert dev.returncode == 0
    assert '"type":"shop.Ordered"' in out
    assert (tmp_path / ".farandole" / ".gitignore").read_text() == "*\n"


def started(cwd: Path, store: str) -> Said:
    return run(
        "start", "shop_app:shop", "Ordered", '{"item": "book"}', "--timeout", "30s", "--json", "-s", store, cwd=cwd
    )


def test_code_that_cannot_be_imported_waits_for_a_change(tmp_path: Path) -> None:
    (tmp_path / "later.py").write_text("x = = 1")
    dev = spawn("dev", "later:shop", cwd=tmp_path)
    try:
        assert dev.stdout is not None
        until(lambda: "stopped; change the code" in (dev.stdout.readline() if dev.stdout else ""))
        shutil.copy(APPS / "shop_app.py", tmp_path / "later.py")
        store = f"sqlite:///{tmp_path}/.farandole/dev.db"
        until(lambda: (tmp_path / ".farandole" / "dev.db").exists())
        said = run("start", "later:shop", "Ordered", '{"item": "a"}', "--timeout", "30s", "-s", store, cwd=tmp_path)
        assert said.code == 0
    finally:
        dev.terminate()
        dev.communicate(timeout=30)


@pytest.mark.parametrize(
    ("store", "shown"),
    [
        ("sqlite:///a b.db?session=1", "'sqlite:///a b.db?session=1'"),
        ("kafka://h:9092?session=5&insecure=true", "'kafka://h:9092?session=5&insecure=true'"),
        ("kafka://ann:hush@h:9092?session=5&password=hush", "'kafka://h:9092?session=5'"),
        ("kafka://ann:hu?a=sh&b=hush@h:9092", "kafka://…"),
    ],
)
def test_the_hint_names_the_whole_log_and_no_secret(store: str, shown: str) -> None:
    hint = look(store, "app:shop")
    assert shlex.split(hint)[1:] == ["farandole", "runs", "app:shop"]
    assert hint.startswith(f"FARANDOLE_STORE={shown} ") or "…" in shown
    assert "hush" not in hint and "sh&" not in hint


def test_sources_see_files_changed_added_and_removed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    (tmp_path / ".venv").mkdir()
    sources = Sources([tmp_path])
    assert sources.changed() == []
    (tmp_path / "b.py").write_text("2")
    (tmp_path / ".venv" / "c.py").write_text("3")
    (tmp_path / "d.txt").write_text("4")
    assert sources.changed() == [tmp_path / "b.py"]
    (tmp_path / "a.py").unlink()
    (tmp_path / "b.py").write_text("longer")
    assert sources.changed() == [tmp_path / "a.py", tmp_path / "b.py"]
