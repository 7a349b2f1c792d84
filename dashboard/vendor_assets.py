"""Brings the scripts of others that pages use into the package: `python dashboard/vendor_assets.py`.

`static/vendor/vendor.toml` says which files of which npm packages; `npm pack` fetches each, its integrity is compared
with the one written there, and its files and its licence are copied. Nothing else of npm is run, and no script of a
package. With ``--pin`` what a package's integrity and files are is written down anew, after its version was changed.
"""

import argparse
import base64
import hashlib
import re
import subprocess
import tarfile
import tempfile
import tomllib
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).parent / "farandole" / "dashboard" / "static" / "vendor"


def sha512(content: bytes) -> str:
    return base64.b64encode(hashlib.sha512(content).digest()).decode()


def packed(name: str, version: str, into: Path) -> bytes:
    """A package as npm has it."""
    subprocess.run(["npm", "pack", "--silent", "--ignore-scripts", f"{name}@{version}"], cwd=into, check=True)  # noqa: S603, S607
    return next(into.glob("*.tgz")).read_bytes()


def files_of(tarball: Path, wanted: list[str]) -> dict[str, bytes]:
    """Files of a package, and its licence, by their last names."""
    found = {}
    with tarfile.open(tarball) as archive:
        for path in [*wanted, "LICENSE"]:
            member = archive.extractfile(f"package/{path}")
            assert member is not None, path
            found[path.rpartition("/")[2]] = re.sub(rb"\n//# sourceMappingURL=\S+\s*$", b"\n", member.read())
    return found


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--pin", action="store_true", help="write hashes down anew")
    pin = arguments.parse_args().pin
    manifest = VENDOR / "vendor.toml"
    packages: dict[str, Any] = tomllib.loads(manifest.read_text())
    text = manifest.read_text()
    for name, package in packages.items():
        with tempfile.TemporaryDirectory() as directory:
            content = packed(package["npm"], package["version"], Path(directory))
            found = files_of(next(Path(directory).glob("*.tgz")), package["from"])
        hashes = {"npm-integrity": sha512(content), **{file: sha512(said) for file, said in found.items()}}
        if pin:
            written = "".join(f'"{file}" = "{value}"\n' for file, value in hashes.items())
            text = re.sub(rf"\[{re.escape(name)}\.sha512\]\n(\".*\n)*", f"[{name}.sha512]\n{written}", text)
        elif hashes != package["sha512"]:
            raise SystemExit(f"{name} {package['version']} is not what vendor.toml says")
        place = VENDOR / f"{name}-{package['version']}"
        place.mkdir(exist_ok=True)
        for file, said in found.items():
            (place / file).write_bytes(said)
    manifest.write_text(text)


if __name__ == "__main__":
    main()
