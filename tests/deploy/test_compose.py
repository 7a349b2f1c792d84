"""docker-compose.yml, as far as it can be judged without Docker: what it starts, who reaches it, and what it mounts."""

import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from farandole.cli import main
from farandole.cli.apppath import load_app

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
WORKERS = ("payments", "kitchen", "delivery")
DOCKERFILE = (ROOT / "Dockerfile").read_text()


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_only_this_machine_reaches_its_ports(service: dict[str, Any]) -> None:
    for port in service.get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port)


@pytest.mark.parametrize("name", SERVICES)
def test_everything_is_there_that_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert set(service.get("depends_on", {})) <= SERVICES.keys()
    for needed, how in service.get("depends_on", {}).items():
        assert how == {"condition": "service_healthy"}
        assert "healthcheck" in SERVICES[needed] or SERVICES[needed]["image"] == "farandole"
    for volume in service.get("volumes", []):
        source = volume.partition(":")[0]
        if source.startswith("./deploy/secrets/"):
            assert volume.endswith(":ro")
        elif source.startswith("./"):
            assert (ROOT / source).exists() and volume.endswith(":ro")
        else:
            assert source in COMPOSE["volumes"]


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_of_one_version(name: str) -> None:
    image = SERVICES[name]["image"]
    assert image == "farandole" or re.fullmatch(r"[\w./-]+:v?\d+\.\d+(\.\d+)?", image)


@pytest.mark.parametrize("name", [*WORKERS, "server"])
def test_our_processes_can_do_no_more_than_they_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert int(service["stop_grace_period"].removesuffix("s")) > 30


@pytest.mark.parametrize("name", WORKERS)
def test_workers_are_commands_that_there_are(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command, app, *options = SERVICES[name]["command"]
    assert load_app(app).service == name
    assert main([command, "--help"]) == 0
    told = capsys.readouterr().out
    assert [word for word in options if word.startswith("--") and word not in told] == []
    assert options[options.index("--metrics-port") + 1] in DOCKERFILE


def test_the_image_runs_as_nobody_who_matters() -> None:
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.M)
    assert re.search(r"^HEALTHCHECK ", DOCKERFILE, re.M)
    assert DOCKERFILE.index("USER ") > DOCKERFILE.index("COPY --from=build")
    copied = (ROOT / ".dockerignore").read_text()
    assert copied.startswith("*\n")
    for needed in ("schemas", "eventstore", "projections", "reactors", "testing", "cli", "pyproject.toml", "LICENSE"):
        assert f"!{needed}\n" in copied


def test_the_image_has_the_extras_that_there_are() -> None:
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = re.search(r'"farandole\[([\w,]+)\]', DOCKERFILE)
    assert named is not None
    assert set(named[1].split(",")) <= extras.keys()


def test_tokens_are_made_once_and_kept_from_others(tmp_path: Path) -> None:
    (tmp_path / "secrets.sh").write_text((ROOT / "deploy/secrets.sh").read_text())
    made = tmp_path / "secrets"

    def make() -> dict[str, str]:
        subprocess.run(["bash", tmp_path / "secrets.sh"], check=True, capture_output=True, timeout=30)
        return {file.name: file.read_text() for file in made.iterdir()}

    first = make()
    assert set(first) == {"yours", "prometheus", "tokens"}
    assert make() == first
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert first["yours"] not in first["tokens"] and first["prometheus"] not in first["tokens"]
    assert len(first["yours"]) == len(first["prometheus"]) == 67
    assert re.fullmatch(r"[0-9a-f]{64}  you  administer\n[0-9a-f]{64}  prometheus  see\n", first["tokens"])
