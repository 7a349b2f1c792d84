"""What is installed is what is in the checkout: one namespace from several roots, typed, and complete."""

import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import distributions, version
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PARTS = ("agents", "cli", "dashboard", "eventstore", "projections", "reactors", "schemas", "testing")


def test_no_root_hides_the_others() -> None:
    assert [str(p) for p in ROOT.glob("*/farandole/__init__.py")] == []


@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_typed(part: str) -> None:
    assert (ROOT / part / "farandole" / part / "py.typed").exists()


def test_the_version_is_that_of_the_installed_package() -> None:
    assert version("farandole") == "0.1.0"


def build(source: Path, target: Path, *more: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", str(target), *more],
        cwd=source,
        check=True,
        capture_output=True,
        timeout=100,
    )


def held_by(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build(ROOT, folder)
    return folder


def test_the_wheel_holds_every_module(dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    held = {name for name in held_by(wheel) if name.startswith("farandole/")}
    for part in PARTS:
        root = ROOT / part
        modules = {str(p.relative_to(root)) for p in (root / "farandole").rglob("*.py")} | {
            f"farandole/{part}/py.typed"
        }
        assert modules <= held


def test_the_wheel_holds_nothing_else(dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    tops = {name.split("/")[0] for name in held_by(wheel)}
    assert tops == {"farandole", "farandole-0.1.0.dist-info"}


def test_the_sdist_can_be_built_and_tested_from(dist: Path) -> None:
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for wanted in (
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "Makefile",
        "docker-compose.yml",
        "Dockerfile",
        "tests/conftest.py",
    ):
        assert wanted in names
    assert "deploy/prometheus/rules.yml" in names
    assert not [name for name in names if name.startswith("deploy/secrets/")]


def test_the_wheel_from_the_sdist_is_that_from_the_checkout(dist: Path, tmp_path: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    build(tmp_path / sdist.name.removesuffix(".tar.gz"), tmp_path, "--target", "wheel")
    (other,) = tmp_path.glob("*.whl")
    assert held_by(other) == held_by(wheel)


@pytest.fixture(scope="module")
def installed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    (wheel,) = dist.glob("*.whl")
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run_from(installed: Path, code: str) -> str:
    """Run a program that finds the package in this directory only, and return what it prints."""
    code = f"import sys; sys.path.insert(0, {str(installed)!r}); {code}"
    return subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=installed, check=True, capture_output=True, text=True, timeout=60
    ).stdout


def test_the_wheel_works_without_the_checkout(installed: Path) -> None:
    assert run_from(installed, "import farandole.reactors as r; print(r.__file__)").startswith(str(installed))


def test_the_tables_of_runs_are_made_without_the_checkout(installed: Path, tmp_path: Path) -> None:
    code = f"""
from farandole.projections.runs import Database, RunTables, __file__
tables = RunTables(Database('sqlite:///{tmp_path}/runs.db', 's'), 't')
tables.make(1)
print(__file__, tables.begin({{}}, dict))
"""
    assert run_from(installed, f"exec({code!r})").startswith(str(installed))


def test_the_command_works_without_the_checkout(installed: Path) -> None:
    (package,) = distributions(path=[str(installed)])
    (command,) = package.entry_points.select(group="console_scripts")
    assert (command.name, command.value) == ("farandole", "farandole.cli:main")
    module = "sys.argv[1:] = ['--version']; import runpy; runpy.run_module('farandole.cli', run_name='__main__')"
    assert "0.1.0" in run_from(installed, module)
    script = "sys.argv[1:] = ['--version']; from farandole.cli import main as m; print(m.__code__.co_filename); m()"
    where, said = run_from(installed, script).splitlines()
    assert where.startswith(str(installed))
    assert "0.1.0" in said
