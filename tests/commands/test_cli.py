"""The command line says what the library says, and errors are one line and status 2."""

import json
import os
import runpy
import subprocess
import sys
import time
from contextlib import suppress
from importlib import metadata

import numpy as np
import pytest

import arrangements
from arrangements.cli.main import main
from arrangements.progress import progress_bar

KEYS = {
    "data",
    "n",
    "d",
    "rank",
    "general_position",
    "n_hyperplanes",
    "exact",
    "p",
    "cover_bound",
    "ratio",
    "seconds",
    "chambers_per_second",
    "peak_memory_bytes",
}
# In decimals the third column is the sum of the others, in doubles it is not.
TIES = "x,y,z,kind\n0.1,0.2,0.3,a\n0.7,0.1,0.8,b\n0.4,0.3,0.7,a\n0.2,0.6,0.8,b\n"


@pytest.fixture
def points(tmp_path):
    path = tmp_path / "points.csv"
    rng = np.random.default_rng(3)
    path.write_text(
        "a,b,c\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rng.integers(-99, 99, (8, 3)))
    )
    return str(path)


@pytest.fixture
def ties(tmp_path):
    path = tmp_path / "ties.csv"
    path.write_text(TIES)
    return str(path)


def python(*argv, **options):
    return subprocess.run(
        [sys.executable, *argv], capture_output=True, text=True, timeout=600, check=False, **options
    )


# --- answers


def test_json_agrees_with_the_library(points, answer):
    X = arrangements.data.load_table(points)[0]
    expected = arrangements.Arrangement(X, bias=True, numbers="decimal")
    for command in ("enumerate", "count"):
        fields = answer(command, points, "--bias")
        assert set(fields) == KEYS
        for name in ("n", "d", "rank", "general_position", "n_hyperplanes", "exact"):
            assert fields[name] == getattr(expected, name)
        assert fields["p"] == expected.count_dichotomies()
        assert fields["cover_bound"] == expected.cover_bound()
        assert fields["ratio"] == fields["p"] / fields["cover_bound"]
        assert fields["seconds"] > 0
        assert fields["chambers_per_second"] > 0
        assert fields["peak_memory_bytes"] > 10**6


def test_table_shows_the_same_numbers(points, run):
    status, out, err = run("enumerate", points)
    fields = json.loads(run("enumerate", points, "--json")[1])
    shown = {line[:22].strip(): line[22:].strip() for line in out.splitlines()}
    assert (status, err) == (0, "")
    assert shown["samples n"] == "8"
    assert shown["dichotomies p"] == f"{fields['p']:,}"
    assert shown["Cover's bound"] == f"{fields['cover_bound']:,}"
    assert shown["general position"] == ("yes" if fields["general_position"] else "no")
    assert shown["exact"] == "yes"
    assert shown["time"].endswith(" s")
    assert len({len(line) for line in out.splitlines()[1:]}) == 1


def test_thousands_are_separated(tmp_path, run):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "X.npy", rng.standard_normal((40, 3)))
    assert " 1,562\n" in run("count", tmp_path / "X.npy")[1]


def test_text_is_read_as_decimals_unless_told_otherwise(ties, tmp_path, answer):
    chosen = ("--columns", "0-2")
    assert answer("count", ties, *chosen)["rank"] == 2
    assert answer("count", ties, *chosen, "--numbers", "binary")["rank"] == 3
    np.save(tmp_path / "X.npy", np.array([[0.1, 0.2, 0.3], [0.7, 0.1, 0.8], [0.4, 0.3, 0.7]]))
    assert answer("count", tmp_path / "X.npy")["rank"] == 3
    assert answer("count", tmp_path / "X.npy", "--numbers", "decimal")["rank"] == 2


def test_tolerance_is_reported_as_not_exact(ties, answer, run):
    arguments = ("count", ties, "--columns", "0-2", "--numbers", "binary", "--tol", "1e-9")
    assert answer(*arguments)["exact"] is False
    assert "no, up to the tolerance" in run(*arguments)[1]


def test_columns_and_rows_are_chosen(ties, answer):
    fields = answer("enumerate", ties, "--columns", "z", "--columns", "0,y", "--rows", "0,2:4")
    assert (fields["n"], fields["d"]) == (3, 3)
    assert answer("count", ties, "--columns=0-1", "--rows=-3:")["n"] == 3


@pytest.mark.parametrize("suffix", ["npz", "parquet", "arrow"])
def test_saved_patterns_are_those_of_the_library(points, tmp_path, answer, suffix):
    if suffix != "npz":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"out.{suffix}"
    fields = answer("enumerate", points, "--out", path, "--jobs", "2")
    X = arrangements.data.load_table(points)[0]
    assert arrangements.load(path) == arrangements.dichotomies(X)
    assert fields["out"] == str(path)
    assert fields["out_bytes"] == path.stat().st_size


def test_bundled_set_has_the_published_count(answer):
    pytest.importorskip("sklearn")
    fields = answer("enumerate", "iris", "--columns", "0-2", "--bias")
    assert (fields["n"], fields["rank"], fields["n_hyperplanes"]) == (150, 4, 144)
    assert fields["general_position"] is False
    assert fields["p"] == 898_532


# --- errors


@pytest.mark.parametrize(
    ("argv", "part"),
    [
        (["absent.csv"], "absent.csv"),
        (["irsi"], "did you mean 'iris'"),
        (["{ties}"], "'kind'"),
        (["{ties}", "--columns", "w"], "'w'"),
        (["{ties}", "--columns", "0", "--rows", "7"], "row 7"),
        (["{ties}", "--columns", "0", "--tol", "7"], "tol"),
        (["{ties}", "--columns", "0", "--tol", "nan"], "tol"),
        (["{folder}"], "must be a file"),
        (["a\nb.csv"], "a\\nb.csv"),
    ],
)
def test_wrong_input_is_one_line(refused, ties, tmp_path, argv, part):
    argv = [argument.format(ties=ties, folder=tmp_path) for argument in argv]
    for command in ("enumerate", "count"):
        assert part in refused(command, *argv)


def test_wrong_options_of_enumerate_are_one_line(refused, points, tmp_path):
    assert "jobs" in refused("enumerate", points, "--jobs", "0")
    assert ".parquet" in refused("enumerate", points, "--out", tmp_path / "x.csv")
    assert "absent" in refused("enumerate", points, "--out", tmp_path / "absent" / "x.npz")


def test_numbers_too_large_for_a_double_are_one_line(refused, tmp_path):
    path = tmp_path / "large.csv"
    path.write_text("1e400\n2e400\n")
    assert "binary" in refused("count", path, "--numbers", "binary")


def test_an_impossible_target_is_refused_before_the_work(refused, points, tmp_path, monkeypatch):
    monkeypatch.setattr(
        arrangements.Arrangement, "dichotomies", lambda *_, **__: pytest.fail("work")
    )
    refused("enumerate", points, "--out", tmp_path / "x.csv")


def test_a_full_disk_is_one_line_and_no_file(refused, points, tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    path = tmp_path / "out.npz"
    assert "No space left on device" in refused("enumerate", points, "--out", path)
    assert os.listdir(tmp_path) == ["points.csv"]


@pytest.mark.parametrize(
    "error",
    [
        arrangements.CapacityError(
            "p = 7 dichotomies\nneed 7 bytes",
            n_chambers=7,
            bytes_needed=7,
            bytes_available=1,
            exact=True,
        ),
        MemoryError(),
        OSError(5, "Input/output error"),
    ],
)
def test_errors_of_the_work_are_one_line(refused, points, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(arrangements.Arrangement, "dichotomies", fail)
    refused("enumerate", points)


@pytest.mark.parametrize("argv", [
    [], ["enumerate"], ["walk", "iris"], ["count", "x", "--out", "y"], ["count", "x", "--nu"],
    ["plot", "x.csv"], ["faces"], ["enumerate", "x", "--faces"]])
def test_wrong_usage(argv, misused):
    misused(*argv)


def test_interruption_is_quiet(run, points, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(arrangements.Arrangement, "dichotomies", interrupt)
    assert run("enumerate", points) == (130, "", "")


# --- as a program


def test_module_and_version(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["arrangements", "--version"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("arrangements", run_name="__main__")
    assert caught.value.code in (0, None)
    assert capsys.readouterr().out.startswith("arrangements ")


def test_optional_packages_are_imported_on_demand(points):
    code = (
        "import sys; from arrangements.cli import main; main(['enumerate', sys.argv[1]]);"
        "print(sorted({'sklearn', 'pyarrow', 'pandas'} & set(sys.modules)))"
    )
    done = python("-c", code, points)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("[]\n")


@pytest.mark.parametrize("source", [None, "iris", "diabetes"])
def test_a_count_loads_neither_scipy_nor_other_packages(points, source):
    if source is not None:
        pytest.importorskip("sklearn")
    code = (
        "import sys; from arrangements.cli import main; "
        "main(['count', sys.argv[1], '--columns', '0-1']);"
        "print(sorted({'scipy', 'sklearn', 'cvxlayer', 'importlib.metadata'} & set(sys.modules)))"
    )
    done = python("-c", code, source or points)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("[]\n")


# --- commands that join


@pytest.fixture
def join(monkeypatch):
    """Let these entry points, name=value, be all that are installed."""

    def join(**points):
        found = [metadata.EntryPoint(*point, "arrangements.commands") for point in points.items()]
        monkeypatch.setattr(metadata, "entry_points", lambda group: [
            point for point in found if point.group == group])

    return join


def add_echo(commands):
    command = commands.add_parser("echo", help="say it again")
    command.add_argument("word")
    command.set_defaults(command=lambda arguments: arguments.word + "\n")


def test_a_joined_command_runs_and_no_other_is_loaded(join, run, usage):
    join(echo=f"{__name__}:add_echo", other="no_such_module:add")
    assert run("echo", "hello") == (0, "hello\n", "")
    assert "say it again" in usage("--help")[1]


def test_a_joined_command_that_lacks_a_module_says_so(join, refused, usage, misused):
    join(echo=f"{__name__}:add_echo", other="no_such_module:add")
    assert "other needs no_such_module, which is not installed; pip install" in refused("other")
    status, out, _ = usage("--help")
    assert status == 0
    assert "other other needs no_such_module, which is not installed" in " ".join(out.split())
    for word in ("invalid choice: 'walk'", "'enumerate', 'count', 'faces', 'plot', 'echo'"):
        assert word in misused("walk")


def test_without_an_installation_its_own_commands_work(join, points, answer, misused):
    join()
    assert answer("count", points)["n"] == 8
    assert "the command 'train' is unknown; some are found only where the package is inst" in (
        misused("train", points))


def test_a_reader_that_leaves_is_no_error(points):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "arrangements", "count", points],
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=600,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_output_to_a_full_disk_is_one_line(points):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "arrangements", "count", points],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=600,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("arrangements: error: ")


# --- the progress bar


class Screen:
    """A stderr that remembers, and a clock that goes as told."""

    def __init__(self, monkeypatch, terminal):
        self.text, self.now, self.terminal = "", 0.0, terminal
        monkeypatch.setattr(sys, "stderr", self)
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def write(self, text):
        self.text += text

    def flush(self):
        pass

    def isatty(self):
        return self.terminal


def test_bar_on_a_terminal_is_drawn_ten_times_a_second(monkeypatch):
    screen = Screen(monkeypatch, terminal=True)
    with progress_bar(4_000, "chambers", True) as bar:
        for _ in range(4_000):
            screen.now += 0.001
            bar.update(1)
    assert 30 <= screen.text.count("\r") <= 41
    assert screen.text.count("\n") == 1
    last = screen.text.rpartition("\r")[2]
    for part in ("chambers [########", "100%", "4,000/4,000", "1,000/s", "ETA 0:00"):
        assert part in last
    assert " 50%" in screen.text
    assert "ETA 0:02" in screen.text


def test_bar_elsewhere_is_a_line_every_ten_seconds(monkeypatch):
    screen = Screen(monkeypatch, terminal=False)
    with progress_bar(100, "chambers", True) as bar:
        for done in range(101):
            bar.set(done)
            screen.now += 0.3
    assert screen.text.count("\n") == 3  # after 10 and 20 seconds, and at the end
    assert "\r" not in screen.text
    assert "\x1b" not in screen.text


@pytest.mark.parametrize(("seconds", "enabled"), [(60.0, False), (0.3, True)])
def test_bar_is_silent_when_disabled_or_short(monkeypatch, seconds, enabled):
    screen = Screen(monkeypatch, terminal=True)
    with progress_bar(10, "chambers", enabled) as bar:
        for _ in range(10):
            screen.now += seconds / 10
            bar.update(1)
    assert screen.text == ""


def test_bar_ends_its_line_when_the_work_fails(monkeypatch):
    screen = Screen(monkeypatch, terminal=True)
    with suppress(KeyboardInterrupt), progress_bar(10**5, "chambers", True) as bar:
        screen.now = 4_000.0
        bar.update(10**4)
        raise KeyboardInterrupt
    assert " 10% 10,000/100,000" in screen.text
    assert "ETA 10:00:00" in screen.text
    assert screen.text.endswith("\n")


@pytest.mark.parametrize(
    ("options", "terminal", "expected"),
    [
        ([], True, True),
        ([], False, False),
        (["--progress"], False, True),
        (["--no-progress"], True, False),
    ],
)
def test_progress_is_for_terminals_and_on_request(
    points, monkeypatch, capsys, options, terminal, expected
):
    asked = []
    original = arrangements.Arrangement.dichotomies

    def spy(self, *, progress, **rest):
        asked.append(progress)
        return original(self, **rest)

    monkeypatch.setattr(arrangements.Arrangement, "dichotomies", spy)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    assert main(["enumerate", points, *options]) == 0
    assert asked == [expected]


def test_piped_output_holds_no_bar(points):
    done = python("-m", "arrangements", "enumerate", points)
    assert (done.returncode, done.stderr) == (0, "")
