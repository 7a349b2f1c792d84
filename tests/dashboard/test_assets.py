"""Scripts of others are what they were when somebody looked at them; templates have nothing that a strict policy refuses."""

import base64
import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from fastapi import HTTPException

from farandole.dashboard.pages.assets import STATIC, address, digest, served
from farandole.dashboard.pages.site import TEMPLATES, environment

VENDOR = STATIC / "vendor"
PACKAGES: dict[str, Any] = tomllib.loads((VENDOR / "vendor.toml").read_text())


def sha512(path: Path) -> str:
    return base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()


@pytest.mark.parametrize("name", PACKAGES)
def test_a_vendored_package_is_what_was_pinned_and_has_its_licence(name: str) -> None:
    package = PACKAGES[name]
    place = VENDOR / f"{name}-{package['version']}"
    pinned = {file: value for file, value in package["sha512"].items() if file != "npm-integrity"}
    assert {path.name: sha512(path) for path in place.iterdir()} == pinned
    assert "LICENSE" in pinned
    assert package["licence"] in ("MIT", "0BSD", "Apache-2.0")


def test_nothing_else_is_vendored() -> None:
    known = {f"{name}-{package['version']}" for name, package in PACKAGES.items()}
    assert {path.name for path in VENDOR.iterdir()} == {*known, "vendor.toml"}


def test_files_are_served_under_their_hash_and_may_be_kept_for_ever() -> None:
    path = address("js/site.js")
    assert path == f"/static/{digest()}/js/site.js"
    assert "immutable" in served(digest(), "js/site.js").headers["cache-control"]
    assert served("anotherrelease", "js/site.js").headers["cache-control"] == "no-store"
    for outside in ("../pages/site.py", "vendor/vendor.toml", "js/none.js", "../../../../etc/passwd"):
        with pytest.raises(HTTPException):
            served(digest(), outside)


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_a_template_has_nothing_inline_and_never_calls_text_safe(path: Path) -> None:
    source = path.read_text()
    environment().get_template(path.name)
    assert not re.search(r"\|\s*safe\b|autoescape|Markup", source)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|\shx-", source)
    for script in re.findall(r"<script[^>]*>", source):
        assert 'type="application/json"' in script or 'src="{{ asset(' in script, script
        assert 'nonce="{{ nonce }}"' in script
    assert not re.search(r'(?:src|href)="(?:https?:)?//', source)


def test_every_asset_that_a_template_names_is_there() -> None:
    for path in TEMPLATES.glob("*.html"):
        for name in re.findall(r"asset\('([^']+)'\)", path.read_text()):
            assert address(name)


def test_our_scripts_write_no_markup_and_evaluate_nothing() -> None:
    for path in (STATIC / "js").glob("*.js"):
        source = path.read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", source), (
            path
        )
        for target in re.findall(r'from "\./([a-z]+\.js)"', source):
            assert (STATIC / "js" / target).exists()
