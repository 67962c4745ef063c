"""Shared test set-up: the `full` marker and the Hypothesis profiles.

`pytest -m "not full"` is the quick tier. `ARRANGEMENTS_TESTS=full` runs 1000 examples per property
instead of 30; `ARRANGEMENTS_TESTS_ORDER=SEED` runs the tests in a random order.
"""

import os
from random import Random

from hypothesis import HealthCheck, settings

_COMMON = {
    "deadline": None,
    "derandomize": bool(os.environ.get("CI")),
    "suppress_health_check": [HealthCheck.too_slow],
}
settings.register_profile("quick", max_examples=30, **_COMMON)
settings.register_profile("full", max_examples=1000, **_COMMON)
settings.load_profile("full" if os.environ.get("ARRANGEMENTS_TESTS") == "full" else "quick")


def pytest_configure(config):
    config.addinivalue_line("markers", "full: takes seconds to minutes; left out of the quick tier")


def pytest_collection_modifyitems(items):
    if seed := os.environ.get("ARRANGEMENTS_TESTS_ORDER"):
        Random(seed).shuffle(items)
