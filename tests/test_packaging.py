"""What is installed is what is in the checkout: one namespace from several roots, typed, and complete."""

import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PARTS = ("cli", "eventstore", "projections", "reactors", "schemas", "testing")


def test_no_root_hides_the_others() -> None:
    assert [str(p) for p in ROOT.glob("*/farandole/__init__.py")] == []


@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_typed(part: str) -> None:
    assert (ROOT / part / "farandole" / part / "py.typed").exists()


def test_the_version_is_that_of_the_installed_package() -> None:
    assert version("farandole") == "0.1.0"


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=100,
    )
    return folder


def test_the_wheel_holds_every_module(dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("farandole/")}
    for part in PARTS:
        root = ROOT / part
        modules = {str(p.relative_to(root)) for p in root.rglob("*.py")} | {f"farandole/{part}/py.typed"}
        assert modules <= held


def test_the_wheel_holds_nothing_else(dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert tops == {"farandole", "farandole-0.1.0.dist-info"}


def test_the_sdist_can_be_built_and_tested_from(dist: Path) -> None:
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for wanted in ("pyproject.toml", "README.md", "LICENSE", "Makefile", "docker-compose.yml", "tests/conftest.py"):
        assert wanted in names


def test_the_wheel_works_without_the_checkout(dist: Path, tmp_path: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import farandole.reactors as r; print(r.__file__)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.startswith(str(tmp_path))
