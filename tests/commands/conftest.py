"""The command line in this process, and tables in files."""

import json

import pytest
from supervised import write

from arrangements.cli.main import main


@pytest.fixture
def table(tmp_path):
    """The file of `supervised`."""
    return write(tmp_path / "points.csv")


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


@pytest.fixture
def usage(capsys):
    """Status, stdout and stderr of a command that argparse itself ends."""

    def usage(*argv):
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in argv])
        captured = capsys.readouterr()
        return caught.value.code, captured.out, captured.err

    return usage


@pytest.fixture
def misused(usage):
    """What argparse says of wrong usage."""

    def misused(*argv):
        status, out, err = usage(*argv)
        assert (status, out) == (2, "")
        assert "error: " in err
        return err

    return misused
