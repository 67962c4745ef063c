"""``python -m arrangements``, the same as the command ``arrangements``."""

from .cli import main

raise SystemExit(main())
