from __future__ import annotations

import pytest

from benchmark.dataset.names import check_id, inside, same_file_key
from benchmark.errors import DatasetError


@pytest.mark.parametrize("name", ["a", "IXMtest_A02_s1", "well B3 (2)", "Zelle-ä.1", "0" * 180])
def test_file_names_are_ids(name):
    assert check_id(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".hidden",
        "..",
        "a/b",
        "a\\b",
        "a\x00b",
        "a\nb",
        "C:a",
        "a*",
        "a.",
        "a ",
        " a",
        "nul",
        "COM1.x",
        "é" * 91,
        "a" * 181,
        "a\udcff",
    ],
)
def test_anything_else_is_refused(name):
    with pytest.raises(DatasetError, match="cannot be a sample's id"):
        check_id(name)


def test_the_file_of_an_id_is_named_even_if_it_cannot_be_printed(tmp_path):
    with pytest.raises(DatasetError, match="it is no Unicode") as caught:
        check_id("a\udcff", tmp_path / "a\udcff.tif")
    assert str(caught.value.where) == str(tmp_path / r"a\xff.tif")
    str(caught.value).encode()


def test_a_relative_path_stays_inside(tmp_path):
    assert inside(tmp_path, "images/a.tif") == tmp_path / "images" / "a.tif"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../x",
        "images/../../x",
        "images/..",
        "C:/x",
        "C:x",
        "\\\\host\\x",
        "..\\x",
        "a\x00",
    ],
)
def test_no_path_leads_out(tmp_path, name):
    with pytest.raises(DatasetError, match="leads out of the folder"):
        inside(tmp_path, name)


def test_no_link_leads_out(tmp_path):
    root = tmp_path / "set"
    root.mkdir()
    (tmp_path / "secret").write_text("x")
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "images").symlink_to(tmp_path)
    for name in ("link", "images/secret"):
        with pytest.raises(DatasetError, match="leads out of the folder"):
            inside(root, name)


def test_names_alike_on_some_file_system_have_one_key():
    assert same_file_key("Caf\u00e9") == same_file_key("CAFE\u0301")
    assert same_file_key("a") != same_file_key("b")
