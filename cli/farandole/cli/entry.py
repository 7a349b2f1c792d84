"""Where the command line begins and ends: every error leaves here as one line and an exit code."""

import os
import sys
from collections.abc import Sequence

import typer

from .errors import explain

_USAGE: type[Exception] = typer.BadParameter.__mro__[1]
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: its words, without the program's name; None: those that the process was started with.

    Returns:
        The exit code: 0 done, 1 failed, 2 wrong usage or environment, 3 not found, 4 refused, 130 interrupted.
    """
    from .app import app

    words = list(sys.argv[1:] if argv is None else argv)
    try:
        code = typer.main.get_command(app).main(args=words, prog_name="farandole", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except _USAGE as e:
        return _usage(e)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; so does what is still buffered.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as e:
        if _debugging(words):
            raise
        return report(e)


def report(error: BaseException) -> int:
    """Say on stderr what went wrong, and return the exit code that goes with it."""
    line, code = explain(error)
    sys.stderr.write(f"{_red('error:')} {line}\n")
    return code


def _usage(error: Exception) -> int:
    ctx = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stderr.write(f"{ctx.get_help() if ctx else ''}\n")
        return 2
    said = getattr(error, "format_message", error.__str__)().strip().rstrip(".")
    message = " ".join(said.split())
    path = ctx.command_path if ctx is not None else "farandole"
    sys.stderr.write(f"{_red('error:')} {message[:1].lower()}{message[1:]} (see: {path} --help)\n")
    return 2


def _debugging(words: Sequence[str]) -> bool:
    return "--debug" in words or os.environ.get("FARANDOLE_DEBUG", "") not in ("", "0")


def _red(text: str) -> str:
    plain = "NO_COLOR" in os.environ or not sys.stderr.isatty()
    return text if plain else f"\x1b[1;31m{text}\x1b[0m"
