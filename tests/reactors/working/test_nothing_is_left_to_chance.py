"""Time, ids and chance are arguments, so that whole systems run from a seed; here is all that is read elsewhere."""

import ast
from pathlib import Path

import farandole.reactors.worker

HERE = Path(farandole.reactors.worker.__file__).parent
SOURCES = {"time", "uuid", "random", "secrets", "datetime", "threading", "os"}
ALLOWED = {
    "attempt.py": {"perf_counter"},  # durations in histograms
    "genesis.py": {"secrets.token_hex"},  # the default of log_id=
    "handle.py": {"datetime.fromtimestamp"},  # log time as a datetime
    "retry.py": {"timedelta"},
    "contract.py": {"timedelta"},
    "dispatch.py": {"perf_counter"},  # likewise
    "metrics.py": {"threading.Thread"},  # answers from a thread of its own
    "worker.py": {"Random"},  # the default of random=
}


def used(source: str) -> set[str]:
    """What a module calls of the modules that tell time, chance or the machine."""
    tree = ast.parse(source)
    names = {
        alias.asname or alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in SOURCES
        for alias in node.names
    }
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id in names:
            found.add(node.func.id)
        elif (
            isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and (node.func.value.id in SOURCES or node.func.value.id in names)
        ):
            found.add(f"{node.func.value.id}.{node.func.attr}")
    return found


def test_no_module_reads_clocks_or_chance_but_where_it_is_the_default_of_an_argument() -> None:
    modules = "worker partition claims dispatch lanes plan attempt outbox values history owned keeping/keeper keeping/rounds keeping/rejects keeping/expiring keeping/due keeping/logclock arguments/arguments arguments/context arguments/events arguments/failures arguments/gathered arguments/news scribe reading genesis contract client handle follower metrics publish stats retry"
    for name in modules.split():
        path = HERE / f"{name}.py"
        assert used(path.read_text()) <= ALLOWED.get(path.name, set()), path.name
