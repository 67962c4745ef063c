"""Shared test set-up: the `full` marker, the Hypothesis profiles, and the command line.

`pytest -m "not full"` is the quick tier. `ARRANGEMENTS_TESTS=full` runs 3000 examples per property
instead of 200; `ARRANGEMENTS_TESTS_ORDER=SEED` runs the tests in a random order.
"""

import json
import os
from random import Random

import pytest
from hypothesis import HealthCheck, settings

from arrangements.cli.main import main

_COMMON = {
    "deadline": None,
    "derandomize": bool(os.environ.get("CI")),
    "suppress_health_check": [HealthCheck.too_slow],
}
settings.register_profile("quick", max_examples=200, **_COMMON)
settings.register_profile("full", max_examples=3000, **_COMMON)
settings.load_profile("full" if os.environ.get("ARRANGEMENTS_TESTS") == "full" else "quick")


def pytest_configure(config):
    config.addinivalue_line("markers", "full: takes seconds to minutes; left out of the quick tier")


def pytest_collection_modifyitems(items):
    if seed := os.environ.get("ARRANGEMENTS_TESTS_ORDER"):
        Random(seed).shuffle(items)


@pytest.fixture
def run(capsys):
    """The command in this process: status, stdout, stderr."""

    def run(*argv):
        status = main([str(argument) for argument in argv])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def answer(run):
    """What the command prints with --json."""

    def answer(*argv):
        status, out, err = run(*argv, "--json")
        assert (status, err) == (0, "")
        return json.loads(out)

    return answer


@pytest.fixture
def refused(run):
    """The one line on stderr of a command that must fail."""

    def refused(*argv):
        status, out, err = run(*argv)
        assert (status, out) == (2, "")
        assert err.startswith("arrangements: error: ")
        assert err.count("\n") == 1
        return err

    return refused
