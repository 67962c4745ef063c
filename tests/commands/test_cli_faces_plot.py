"""`arrangements faces`, `arrangements plot` and `arrangements count --faces` say what holds."""

import os

import numpy as np
import pytest

import arrangements
from arrangements import families


@pytest.fixture
def braid(tmp_path):
    path = tmp_path / "braid.csv"
    np.savetxt(path, families.braid(3).rows, fmt="%d", delimiter=",", header="a,b,c", comments="")
    return str(path)


# --- faces


def test_faces_of_the_braid_arrangement(braid, answer):
    fields = answer("faces", braid)
    assert (fields["n"], fields["rank"], fields["n_hyperplanes"]) == (6, 3, 6)
    # Ordered partitions of 4 elements into 1, 2, 3, 4 blocks.
    assert fields["f_vector"] == [1, 14, 36, 24]
    assert fields["dims"] == [0, 1, 2, 3]
    assert fields["q"] == families.braid(3).faces == 75
    assert fields["seconds"] > 0
    assert "p" not in fields


def test_table_of_faces(braid, run):
    status, out, err = run("faces", braid)
    shown = {line[:22].strip(): line[22:].strip() for line in out.splitlines()}
    assert (status, err) == (0, "")
    assert shown["faces q"] == "75"
    assert [shown[f"of dimension {k}"] for k in range(4)] == ["1", "14", "36", "24"]
    assert len({len(line) for line in out.splitlines()[1:]}) == 1


@pytest.mark.parametrize(
    ("options", "dims"),
    [(["--dims", "1"], [1]), (["--dims", "2-3,0"], [0, 2, 3]), (["--dims=3", "--dims=1"], [1, 3])],
)
def test_dimensions_are_chosen(braid, tmp_path, answer, options, dims):
    numbers = [[1, 14, 36, 24][k] for k in dims]
    for out in ([], ["--out", tmp_path / "faces.npz"]):
        fields = answer("faces", braid, *options, *out)
        assert (fields["dims"], fields["f_vector"]) == (dims, numbers)
        assert fields["q"] == sum(numbers)


def test_saved_faces(braid, tmp_path, answer):
    path = tmp_path / "faces.npz"
    fields = answer("faces", braid, "--out", path, "--jobs", "2")
    assert fields["f_vector"] == [1, 14, 36, 24]
    assert fields["out"] == str(path)
    assert fields["out_bytes"] == path.stat().st_size > 0


def test_count_with_faces(braid, answer, run):
    fields = answer("count", braid, "--faces")
    assert (fields["p"], fields["q"], fields["f_vector"]) == (24, 75, [1, 14, 36, 24])
    assert "q" not in answer("count", braid)
    assert "faces q" in run("count", braid, "--faces")[1]


def test_a_bias_raises_the_rank(braid, answer):
    fields = answer("faces", braid, "--bias", "--columns", "0,1")
    assert len(fields["f_vector"]) == fields["rank"] + 1 == 4
    assert sum((-1) ** k * x for k, x in enumerate(fields["f_vector"])) == (-1) ** 3


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--dims", "4"], "dims must be from 0, the origin, to 3"),
        (["--dims", "2-1"], "dims must be from 0"),
        (["--dims", "x"], "'x'"),
        (["--dims", "0,"], "dims must be integers"),
        (["--dims=-1"], "dims must be integers"),
        (["--jobs", "0"], "jobs"),
        (["--out", "faces.csv"], ".parquet"),
        (["--out", os.path.join("absent", "x.npz")], "absent"),
        (["--columns", "w"], "'w'"),
    ],
)
def test_wrong_options_of_faces_are_one_line(braid, refused, options, part):
    assert part in refused("faces", braid, *options)


def test_targets_are_checked_before_the_work(braid, tmp_path, refused, monkeypatch):
    for name in ("trichotomies", "f_vector", "count_dichotomies"):
        monkeypatch.setattr(
            arrangements.Arrangement, name, lambda *_, **__: pytest.fail("work"), raising=False
        )
    refused("faces", braid, "--out", tmp_path / "x.csv")
    refused("plot", braid, "--out", tmp_path / "x.csv")


# --- plot


@pytest.mark.parametrize(
    ("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_picture_in_every_format(braid, tmp_path, answer, suffix, start):
    pytest.importorskip("matplotlib")
    path = tmp_path / f"picture.{suffix}"
    fields = answer("plot", braid, "--out", path)
    assert path.read_bytes().startswith(start)
    assert (fields["p"], fields["rank"]) == (24, 3)
    assert (fields["out"], fields["out_bytes"]) == (str(path), path.stat().st_size)


def test_labels_can_be_left_out(braid, tmp_path, run):
    pytest.importorskip("matplotlib")
    sizes = []
    for options in ([], ["--no-labels"]):
        path = tmp_path / f"{len(sizes)}.svg"
        status, out, err = run("plot", braid, "--out", path, *options)
        assert (status, err) == (0, "")
        assert "dichotomies p" in out and str(path) in out
        sizes.append(path.stat().st_size)
    assert sizes[1] < sizes[0]


def test_wrong_input_of_plot_is_one_line(braid, tmp_path, refused):
    pytest.importorskip("matplotlib")
    assert ".svg" in refused("plot", braid, "--out", tmp_path / "x.jpeg2000")
    assert "absent" in refused("plot", braid, "--out", tmp_path / "absent" / "x.png")
    (tmp_path / "folder.png").mkdir()
    assert "folder" in refused("plot", braid, "--out", tmp_path / "folder.png")
    out = tmp_path / "x.png"
    assert "got 4" in refused("plot", braid, "--bias", "--out", out)
    assert "absent.csv" in refused("plot", "absent.csv", "--out", out)
    assert not out.exists()


def test_a_full_disk_leaves_the_old_picture(braid, tmp_path, refused, monkeypatch):
    pytest.importorskip("matplotlib")

    def full(_):
        raise OSError(28, "No space left on device")

    path = tmp_path / "out.png"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    assert "No space left on device" in refused("plot", braid, "--out", path)
    assert path.read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["braid.csv", "out.png"]
