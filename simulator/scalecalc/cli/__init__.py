"""The command line: `main` is the only place where errors become text and exit codes."""

from __future__ import annotations

import gc
import sys
from typing import NoReturn

import typer

from scalecalc.errors import ScalecalcError, one_line


def main() -> NoReturn:
    """Run the command in sys.argv: 0 answered, 1 a condition of `diff --fail-if` is met, 2 bad usage or input,
    3 `--strict` and something was missing.
    """
    gc.disable()  # one short run: collecting would only walk over a large model again and again
    code = run(sys.argv[1:])
    gc.freeze()  # the interpreter's own last collection is as vain
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """The exit code of a command; errors are one line on stderr."""
    from scalecalc.cli.app import application

    try:
        code = application(*arguments[:1])(args=arguments, prog_name="scalecalc", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except ScalecalcError as error:
        return _fail(str(error), error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        return _fail("interrupted", 130)
    except _usage_error() as error:
        return _fail(f"{error.format_message()} See scalecalc --help", 2)
    except OSError as error:  # of --help and --version: results are written by `cli.options.target`
        return _fail(f"cannot write to stdout: {error.strerror}; use --output FILE", 2)
    except OverflowError:
        return _fail("sizes so large that a result is no number any more; choose smaller ones", 2)
    except RecursionError:
        return _fail("the model is nested too deeply; flatten its functions and bodies", 2)
    except MemoryError:
        return _fail("not enough memory for this model", 2)


def _usage_error() -> type[typer.BadParameter]:
    """What typer raises for a wrong command line: the base of BadParameter, wherever its version has it from."""
    base: type[typer.BadParameter] = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")
    return base


def _fail(message: str, code: int) -> int:
    line = one_line(message)
    if len(line) > 800:  # a name of the file nobody could read
        line = f"{line[:500]} ... {line[-250:]}"
    print(f"scalecalc: {line}", file=sys.stderr)
    return code
