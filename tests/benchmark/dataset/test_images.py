from __future__ import annotations

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from benchmark.dataset.images import (
    SMALL_BYTES,
    check_image,
    check_labels,
    read_array,
    write_image,
    write_labels,
)
from benchmark.errors import DatasetError

ZERO = np.zeros((4, 5), np.uint16)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, ">u2"])
def test_images_of_8_and_16_bits_are_taken(dtype):
    image = np.arange(20).reshape(1, 4, 5).astype(dtype)
    checked = check_image(image, "a")
    assert checked.dtype.isnative
    np.testing.assert_array_equal(checked, image)


@pytest.mark.parametrize("dtype", [bool, np.int16, np.int64, np.uint32, np.float32, complex])
def test_images_of_other_types_are_refused(dtype):
    with pytest.raises(DatasetError, match="uint8 or uint16") as caught:
        check_image(np.zeros((1, 4, 5), dtype), "sample a")
    assert caught.value.where == "sample a"


@pytest.mark.parametrize("shape", [(4, 5), (1, 1, 4, 5), (1, 0, 5), (0, 4, 5)])
def test_images_of_other_shapes_are_refused(shape):
    with pytest.raises(DatasetError, match="shape"):
        check_image(np.zeros(shape, np.uint8), "a")


@given(
    st.sampled_from([np.int8, np.uint8, np.int16, ">u2", np.int32, np.uint32, ">i8", np.uint64]),
    st.integers(0, 2**63 - 1),
)
def test_labels_of_any_integer_type_are_kept_exactly(dtype, highest):
    highest = min(highest, np.iinfo(dtype).max)
    labels = np.array([[0, highest]], dtype)
    checked = check_labels(labels, (1, 2), "a")
    assert [int(value) for value in checked[0]] == [0, highest]
    expected = np.uint16 if highest < 2**16 else np.uint32 if highest < 2**32 else np.uint64
    assert checked.dtype == expected


@pytest.mark.parametrize("dtype", [float, np.float16, bool])
def test_labels_that_are_no_integers_are_refused_even_if_whole(dtype):
    with pytest.raises(DatasetError, match="whole numbers") as caught:
        check_labels(ZERO.astype(dtype), (4, 5), "a")
    assert "astype(np.uint16)" in caught.value.mend


def test_labels_that_are_negative_or_too_large_or_of_another_shape_are_refused():
    with pytest.raises(DatasetError, match="negative, the least is -3"):
        check_labels(ZERO.astype(int) - 3, (4, 5), "a")
    with pytest.raises(DatasetError, match="too large"):
        check_labels(ZERO.astype(np.uint64) + np.uint64(2**63), (4, 5), "a")
    with pytest.raises(DatasetError, match=r"\(4, 5\), the image \(5, 4\)"):
        check_labels(ZERO, (5, 4), "a")


shapes = [(1, 1, 1), (1, 1, 7), (1, 7, 1), (2, 1, 1), (1, 4, 5), (2, 4, 5), (3, 4, 5), (9, 3, 4)]


@pytest.mark.parametrize("shape", [*shapes, (4, 3, 3), (1, 300, 3), (1, 300, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_images_are_read_as_written(tmp_path, shape, dtype):
    image = np.random.default_rng(0).integers(0, 255, shape).astype(dtype)
    write_image(tmp_path / "a.tif", image)
    read = read_array(tmp_path / "a.tif", shape)
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, image)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (300, 3), (40, 50)])
@pytest.mark.parametrize("dtype", [np.uint16, np.uint32, np.uint64])
def test_labels_are_read_as_written(tmp_path, shape, dtype):
    labels = np.random.default_rng(0).integers(0, 9, shape).astype(dtype)
    write_labels(tmp_path / "a.tif", labels)
    read = read_array(tmp_path / "a.tif", shape)
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, labels)


def test_the_same_array_makes_the_same_bytes_without_date_or_program(tmp_path):
    image = np.arange(40, dtype=np.uint16).reshape(2, 4, 5)
    for name in ("a", "b"):
        write_image(tmp_path / name, image)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with tifffile.TiffFile(tmp_path / "a") as file:
        assert not {"DateTime", "Software"} & {tag.name for tag in file.pages[0].tags}
        assert file.is_imagej
        assert file.series[0].axes == "CYX"
        assert file.pages[0].compression == tifffile.COMPRESSION.ADOBE_DEFLATE


def test_damage_is_an_error_that_names_the_file(tmp_path):
    path = tmp_path / "a.tif"
    write_image(path, np.random.default_rng(0).integers(0, 99, (1, 60, 60)).astype(np.uint16))
    whole = path.read_bytes()
    for length in (0, 3, 100, len(whole) // 2, len(whole) - 40):
        path.write_bytes(whole[:length])
        with pytest.raises(DatasetError, match="truncated or damaged") as caught:
            read_array(path, (1, 60, 60))
        assert caught.value.where == str(path)
    path.unlink()
    with pytest.raises(DatasetError, match="missing"):
        read_array(path, (1, 60, 60))


def test_another_shape_is_found_before_anything_is_decoded(tmp_path, monkeypatch):
    write_labels(tmp_path / "a.tif", ZERO)
    monkeypatch.setattr(tifffile.TiffFile, "asarray", lambda *_: pytest.fail("decoded"))
    with pytest.raises(DatasetError, match=r"the shape \(1, 4, 5\), the table says \(5, 4\)"):
        read_array(tmp_path / "a.tif", (5, 4))


def test_no_file_asks_for_more_memory_than_it_can_fill(tmp_path, monkeypatch):
    path = tmp_path / "a.tif"
    write_labels(path, np.zeros((5800, 5800), np.uint16))  # zlib packs nothing tighter
    assert SMALL_BYTES < 2 * 5800**2
    assert read_array(path, (5800, 5800)).shape == (5800, 5800)
    write_labels(path, ZERO)
    with tifffile.TiffFile(path, mode="r+b") as file:
        for tag in ("ImageWidth", "ImageLength"):
            file.pages[0].tags[tag].overwrite(200_000)
    monkeypatch.setattr(tifffile.TiffFile, "asarray", lambda *_: pytest.fail("decoded"))
    with pytest.raises(DatasetError, match=r"says that it holds 80000000000, which it cannot"):
        read_array(path, (200_000, 200_000))


def test_too_little_memory_is_an_error_that_names_the_file(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise MemoryError("Unable to allocate 30 MiB")

    write_labels(tmp_path / "a.tif", ZERO)
    monkeypatch.setattr(tifffile.TiffFile, "asarray", fail)
    with pytest.raises(DatasetError, match="not enough memory") as caught:
        read_array(tmp_path / "a.tif", (4, 5))
    assert caught.value.where == str(tmp_path / "a.tif")
