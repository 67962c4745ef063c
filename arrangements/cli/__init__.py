"""The command `arrangements`.

A command is a function `add(subparsers)`, which brings its own options and says what runs. Those of
other packages join through the entry-point group `arrangements.commands`, and are imported when
they are chosen.

========  ========================================================================================
main      the command line: a status, one line for an error
parser    the parser: the commands of this package, and those that join
commands  enumerate, count, faces, plot
options   options that several commands share, and what they ask for
report    what is printed: one JSON object or a table
========  ========================================================================================
"""

from .main import main

__all__ = ["main"]
