"""Code that came as data, such as a model wrote: a handler may run it, for no handler is ever replayed.

What it gave is in the log, and stays what it is. Whether such code may run at all, and where, is yours to guard.
"""

from typing import Any

from farandole.reactors import Choreography, Retry
from farandole.schemas import End, Start

sandbox = Choreography("sandbox")


class CodeWritten(Start):
    code: str


class CodeRan(End):
    result: str


@sandbox.reactor(retry=Retry(attempts=1), timeout="10s")
def run_code(written: CodeWritten) -> CodeRan:
    names: dict[str, Any] = {}
    exec(written.code, {"__builtins__": {"sum": sum, "range": range}}, names)
    return CodeRan(result=repr(names["result"]))
