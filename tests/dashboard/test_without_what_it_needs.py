"""The dashboard is loaded when it is asked for, and says what to install where it is missing."""

import os
import subprocess
import sys

BLOCK = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named '{{name}}'", name=name)
sys.meta_path.insert(0, Missing())
"""
OF_THE_DASHBOARD = ("fastapi", "starlette", "uvicorn", "jinja2", "sse_starlette", "itsdangerous", "python_multipart")


def said(code: str, *missing: str) -> str:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    code = BLOCK.format(missing=missing) + code
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=60)
    return done.stdout + done.stderr


def test_nothing_else_needs_what_it_needs() -> None:
    code = "import farandole.cli, farandole.projections, farandole.reactors, farandole.testing; print('well')"
    assert said(code, *OF_THE_DASHBOARD, "authlib").strip() == "well"


def test_it_does_without_the_package_of_agents() -> None:
    code = "import farandole.dashboard.app, farandole.dashboard.pages, farandole.dashboard.pages.conversation; print('well')"
    assert said(code, "pydantic_ai").strip() == "well"


def test_it_says_what_to_install() -> None:
    assert "pip install 'farandole[dashboard]'" in said("import farandole.dashboard", *OF_THE_DASHBOARD)


def test_a_command_says_so_in_one_line() -> None:
    words = "['serve', '-c', 'x', '--store', 'sqlite:///none.db', '--db', 'sqlite:///x.db']"
    found = said(f"from farandole.cli import main; print(main({words}))", *OF_THE_DASHBOARD).splitlines()
    assert "2" in found
    assert any("pip install 'farandole[dashboard]'" in line for line in found)


def test_without_authlib_only_a_provider_cannot_be_used() -> None:
    code = """
from farandole.dashboard import DashboardMisconfigured, Oidc
from farandole.dashboard.auth.oidc import Provider
try:
    Provider(Oidc(issuer='https://x', client_id='x'), https=False)
except DashboardMisconfigured as e:
    print(e)
"""
    assert "pip install 'farandole[oidc]'" in said(code, "authlib")


def test_its_public_names_are_in_order() -> None:
    code = "import farandole.dashboard as d; print(d.__all__ == sorted(d.__all__) and all(hasattr(d, n) for n in d.__all__))"
    assert said(code).strip() == "True"
