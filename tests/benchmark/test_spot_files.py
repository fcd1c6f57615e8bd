"""Tables of points as other tools write them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmark.errors import DatasetError
from benchmark.spot_files import read_spots


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y,x\n1.5,2\n3,4\n", [[1.5, 2], [3, 4]]),
        ("x,y\n2,1.5\n4,3\n", [[1.5, 2], [3, 4]]),
        ("x;y\n2;1.5\n", [[1.5, 2]]),
        ("x\ty\tz\n2\t1\t7\n", [[7, 1, 2]]),
        ("\ufeffY, X\n1, 2\n", [[1, 2]]),
        ("row,col\n1,2\n", [[1, 2]]),
        ("plane,row,column\n7,1,2\n", [[7, 1, 2]]),
        ("index,axis-0,axis-1\n0,1,2\n", [[1, 2]]),
        ("index,axis-0,axis-1,axis-2\n0,7,1,2\n", [[7, 1, 2]]),
        ("row,y,x\n9,1,2\n", [[1, 2]]),
        ("y,x,intensity\n1e1,2,\n", [[10, 2]]),
        ("y,x\n", np.empty((0, 2))),
    ],
)
def test_positions(tmp_path, text, expected):
    path = tmp_path / "spots.csv"
    path.write_text(text, encoding="utf-8")
    [(name, spots)] = read_spots(path).items()
    assert name == ""
    assert spots.photons is None
    np.testing.assert_array_equal(spots.at, expected)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_photons_and_images(tmp_path, suffix):
    table = pd.DataFrame(
        {"sample": ["007", "7", "007"], "y": [1, 2, 3], "x": [4, 5, 6], "photons": [10, 20, 30]}
    )
    path = tmp_path / f"spots.{suffix}"
    if suffix == "csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path)
    found = read_spots(path)
    assert list(found) == ["007", "7"]
    np.testing.assert_array_equal(found["007"].at, [[1, 4], [3, 6]])
    np.testing.assert_array_equal(found["007"].photons, [10, 30])
    assert list(read_spots(path, images=["Y"])) == ["1", "2", "3"]
    assert list(read_spots(path, images=["sample", "x"])) == ["007 4", "007 6", "7 5"]


def test_a_folder_has_a_table_an_image(tmp_path):
    (tmp_path / "b.csv").write_text("y,x\n1,2\n")
    (tmp_path / "a.tsv").write_text("y\tx\n")
    (tmp_path / "notes.md").write_text("none of them")
    found = read_spots(tmp_path)
    assert {name: len(spots.at) for name, spots in found.items()} == {"a": 0, "b": 1}
    (tmp_path / "a.csv").write_text("y,x\n")
    with pytest.raises(DatasetError, match="two tables called a"):
        read_spots(tmp_path)


def test_what_is_no_table(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and nothing else")
    (tmp_path / "a.csv").write_bytes(b"y,x\n\xff\xfe,1\n")
    (tmp_path / "a.xlsx").write_bytes(b"")
    for name in ("a.parquet", "a.csv"):
        with pytest.raises(DatasetError, match="cannot be read") as caught:
            read_spots(tmp_path / name)
        assert caught.value.where == str(tmp_path / name)
    with pytest.raises(DatasetError, match="xlsx is no kind of table"):
        read_spots(tmp_path / "a.xlsx")


def test_columns_named_in_another_case_and_one_that_is_not_there(tmp_path):
    (tmp_path / "a.csv").write_text("Picture,Y,X\na,1,2\n")
    assert list(read_spots(tmp_path / "a.csv", images=["picture"])) == ["a"]
    with pytest.raises(DatasetError, match="no column 'pictures'") as caught:
        read_spots(tmp_path / "a.csv", images=["Pictures"])
    assert caught.value.mend == "did you mean 'picture'?"
