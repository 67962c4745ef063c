"""The command line: ``arrangements COMMAND ...``."""

from __future__ import annotations

import sys

from arrangements.errors import InputError

from .parser import parser
from .report import write

__all__ = ["main"]


def main(argv: list[str] | None = None) -> int:
    """Run one command; the status is 0, 2 after an error (one line on stderr), 130 after Ctrl-C."""
    argv = sys.argv[1:] if argv is None else argv
    try:
        arguments = parser(argv).parse_args(argv)
        write(arguments.command(arguments))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 141  # what a shell reports for a reader that left: 128 + SIGPIPE
    except (InputError, MemoryError, OSError) as error:
        message = " ".join(str(error).split()) or "out of memory"
        print(f"arrangements: error: {message}", file=sys.stderr)
        return 2
    return 0
