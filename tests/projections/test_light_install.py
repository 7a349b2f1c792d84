"""What needs a database is loaded when it is asked for, and says what to install where it is missing."""

import os
import subprocess
import sys

BLOCK = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('sqlalchemy', 'alembic', 'psycopg'):
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
sys.meta_path.insert(0, Missing())
"""


def said(code: str) -> str:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", BLOCK + code], capture_output=True, text=True, env=env, timeout=60)
    return done.stdout + done.stderr


def test_nothing_else_needs_a_database() -> None:
    code = "import farandole.agents, farandole.cli, farandole.projections, farandole.reactors, farandole.testing; print('well')"
    assert said(code).strip() == "well"


def test_what_needs_one_says_what_to_install() -> None:
    assert "pip install 'farandole[sql]'" in said("from farandole.projections import Runs")


def test_a_command_that_needs_one_says_so_in_one_line() -> None:
    code = "from farandole.cli import main; print(main(['verify', '-c', 'x', '--store', 'sqlite:///none.db', '--db', 'sqlite:///x.db']))"
    lines = said(code).splitlines()
    assert lines[-1] == "2" or "2" in lines
    assert any("pip install 'farandole[sql]'" in line for line in lines)


def test_postgresql_says_what_to_install_for_it() -> None:
    code = """
sys.meta_path[0].find_spec = lambda name, path=None, target=None: (_ for _ in ()).throw(
    ModuleNotFoundError(name, name=name)) if name.split('.')[0] == 'psycopg' else None
from farandole.projections.sql import Database
try:
    Database('postgresql://x/y', 's')
except Exception as e:
    print(e)
"""
    assert "pip install 'farandole[postgres]'" in said(code)
