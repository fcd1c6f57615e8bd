from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from benchmark.dataset.layouts.pictures import read_image, read_mask, write_image
from benchmark.errors import DatasetError

GREY8 = np.arange(56, dtype=np.uint8).reshape(7, 8) * 4
GREY16 = GREY8.astype(np.uint16) * 200
COLOUR = np.stack([GREY8, GREY8[::-1], 255 - GREY8], axis=-1)
MASK = np.kron(np.arange(6).reshape(2, 3), np.ones((3, 3))).astype(np.uint16)


def png16(path, array):
    """A PNG of 16-bit colours, which Pillow reads and does not write."""
    height, width, _ = array.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0))]
    chunks += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    content = b"\x89PNG\r\n\x1a\n"
    for kind, data in chunks:
        crc = zlib.crc32(kind + data)
        content += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)
    path.write_bytes(content)


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("image", [GREY8, GREY16], ids=["8 bit", "16 bit"])
def test_grey_images(tmp_path, suffix, image):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(image).save(path)
    read, channels = read_image(path)
    assert channels == ("intensity",)
    assert read.dtype == image.dtype
    np.testing.assert_array_equal(read[0], image)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_colour_images_and_those_with_an_opaque_alpha_channel(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    for image in (COLOUR, np.dstack([COLOUR, np.full_like(GREY8, 255)])):
        Image.fromarray(image).save(path)
        read, channels = read_image(path)
        assert channels == ("red", "green", "blue")
        np.testing.assert_array_equal(read, np.moveaxis(COLOUR, -1, 0))


def test_a_jpeg_is_an_image(tmp_path):
    Image.fromarray(GREY8).save(tmp_path / "a.jpg")
    read, channels = read_image(tmp_path / "a.jpg")
    assert (read.shape, channels) == ((1, 7, 8), ("intensity",))


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_a_palette_gives_an_image_its_colours_and_a_mask_its_numbers(tmp_path, suffix):
    picture = Image.fromarray(MASK.astype(np.uint8), mode=None).convert("P")
    picture.putpalette(np.arange(768, dtype=np.uint8)[::-1].tobytes())
    path = tmp_path / f"a.{suffix}"
    picture.save(path)
    read, channels = read_image(path)
    assert channels == ("red", "green", "blue")
    np.testing.assert_array_equal(read, np.moveaxis(np.asarray(picture.convert("RGB")), -1, 0))
    np.testing.assert_array_equal(read_mask(path, binary=None), MASK)


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate"])
def test_compressions_of_other_tools(tmp_path, compression):
    path = tmp_path / "a.tif"
    Image.fromarray(GREY16).save(path, compression=compression)
    np.testing.assert_array_equal(read_image(path)[0][0], GREY16)
    Image.fromarray(MASK).save(path, compression=compression)
    np.testing.assert_array_equal(read_mask(path, binary=None), MASK)


@pytest.mark.parametrize(
    ("array", "options", "expected"),
    [
        (np.stack([GREY16] * 2), {"imagej": True, "metadata": {"axes": "CYX"}}, 2),
        (np.stack([GREY16] * 5), {"imagej": True, "metadata": {"axes": "CYX"}}, 5),
        (np.stack([GREY16] * 3), {"ome": True, "metadata": {"axes": "CYX"}}, 3),
        (GREY16[None, None, None], {"ome": True, "metadata": {"axes": "TCZYX"}}, 1),
        (np.stack([GREY16] * 2), {"metadata": None}, 2),
        (np.stack([GREY8] * 2), {}, 2),
        (np.stack([GREY16] * 3), {"photometric": "rgb", "planarconfig": "separate"}, 3),
        (GREY16[None], {}, 1),
    ],
)
def test_channels_of_tiff(tmp_path, array, options, expected):
    options = {"photometric": "minisblack", **options}
    tifffile.imwrite(tmp_path / "a.tif", array, **options)
    read, channels = read_image(tmp_path / "a.tif")
    assert len(channels) == len(read) == expected
    np.testing.assert_array_equal(read, array.reshape(read.shape))


@pytest.mark.parametrize(
    ("axes", "shape"), [("ZYX", (5, 7, 8)), ("TYX", (2, 7, 8)), ("ZCYX", (2, 3, 7, 8))]
)
def test_stacks_are_refused(tmp_path, axes, shape):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros(shape, np.uint16), imagej=True, metadata={"axes": axes})
    for read in (read_image, lambda path: read_mask(path, binary=None)):
        with pytest.raises(DatasetError, match=f"a stack with the axes {axes}"):
            read(path)
    tifffile.imwrite(path, np.zeros((20, 7, 8), np.uint16), photometric="minisblack", metadata=None)
    with pytest.raises(DatasetError, match="a stack"):
        read_image(path)


def test_several_images_in_one_file_are_refused(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(GREY8, metadata=None)
        file.write(GREY16[:5], metadata=None)
    with pytest.raises(DatasetError, match="holds 2 images"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint32, np.float32, np.float64, ">u2"])
def test_images_that_16_bits_hold_exactly_are_taken(tmp_path, dtype):
    array = np.array([[0, 1], [300, 32767]]).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", array)
    read, _ = read_image(tmp_path / "a.tif")
    assert read.dtype == np.uint16
    np.testing.assert_array_equal(read[0], array)


@pytest.mark.parametrize(
    "value", [np.float32(0.5), np.float32(np.nan), np.int16(-1), np.uint32(65536), np.float64(1e9)]
)
def test_images_that_16_bits_do_not_hold_are_refused(tmp_path, value):
    tifffile.imwrite(tmp_path / "a.tif", np.full((3, 3), value))
    with pytest.raises(DatasetError, match="neither uint8 nor uint16 can hold") as caught:
        read_image(tmp_path / "a.tif")
    assert "rescale" in caught.value.mend


def test_what_would_lose_something_is_refused(tmp_path):
    png16(tmp_path / "a.png", COLOUR.astype(np.uint16) * 257)
    with pytest.raises(DatasetError, match="16 bits cannot be read"):
        read_image(tmp_path / "a.png")
    transparent = np.dstack([COLOUR, GREY8])
    Image.fromarray(transparent).save(tmp_path / "b.png")
    with pytest.raises(DatasetError, match="transparent in places"):
        read_image(tmp_path / "b.png")
    Image.fromarray(GREY8 > 99).save(tmp_path / "c.png")
    with pytest.raises(DatasetError, match="bool"):
        read_image(tmp_path / "c.png")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.uint64, ">i8"])
def test_labels_of_any_integer_type(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "a.tif", MASK.astype(dtype))
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif", binary=None), MASK)


def test_labels_in_three_equal_colours_are_labels_and_others_are_not(tmp_path):
    mask = MASK.astype(np.uint8)
    Image.fromarray(np.dstack([mask] * 3)).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png", binary=None), MASK)
    Image.fromarray(np.dstack([mask, mask, 5 - mask])).save(tmp_path / "a.png")
    with pytest.raises(DatasetError, match="labels are coloured"):
        read_mask(tmp_path / "a.png", binary=None)


def test_a_jpeg_holds_no_labels(tmp_path):
    Image.fromarray(MASK.astype(np.uint8)).save(tmp_path / "a.jpg")
    with pytest.raises(DatasetError, match="JPEG changes values"):
        read_mask(tmp_path / "a.jpg", binary=None)


TWO_SPOTS = np.zeros((6, 9), np.uint8)
TWO_SPOTS[1:3, 1:3] = TWO_SPOTS[3, 3] = TWO_SPOTS[2:5, 6:8] = 1


@pytest.mark.parametrize(
    "mask", [255 * TWO_SPOTS, TWO_SPOTS, TWO_SPOTS > 0, 255 * TWO_SPOTS[:, :5]]
)
def test_binary_masks_are_refused_unless_asked_for(tmp_path, mask):
    Image.fromarray(mask).save(tmp_path / "a.png")
    with pytest.raises(DatasetError, match="a binary mask") as caught:
        read_mask(tmp_path / "a.png", binary=None)
    assert "--binary" in caught.value.mend
    labels = read_mask(tmp_path / "a.png", binary=True)
    expected = np.where(TWO_SPOTS > 0, np.arange(9) // 5 + 1, 0)[:, : mask.shape[1]]
    np.testing.assert_array_equal(labels, expected)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png", binary=False), mask)


def test_what_is_no_binary_mask(tmp_path):
    Image.fromarray(MASK).save(tmp_path / "a.png")
    with pytest.raises(DatasetError, match="no binary mask"):
        read_mask(tmp_path / "a.png", binary=True)
    for mask in (np.zeros((4, 4), np.uint8), TWO_SPOTS[:, 5:]):  # no object; one object
        Image.fromarray(mask).save(tmp_path / "a.png")
        np.testing.assert_array_equal(read_mask(tmp_path / "a.png", binary=None), mask)


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg"])
def test_truncated_files_are_named(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    noise = np.random.default_rng(0).integers(0, 255, (64, 64)).astype(np.uint8)
    Image.fromarray(noise).save(path)
    whole = path.read_bytes()
    for length in (0, 10, len(whole) // 2):
        path.write_bytes(whole[:length])
        with pytest.raises(DatasetError, match="truncated, damaged") as caught:
            read_image(path)
        assert caught.value.where == str(path)


@pytest.mark.parametrize("channels", [("red", "green", "blue"), ("a", "b", "c"), ("dna",)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_images_are_read_as_written(tmp_path, channels, dtype):
    image = np.random.default_rng(0).integers(0, 255, (len(channels), 9, 11)).astype(dtype)
    write_image(tmp_path / "a.tif", image, channels)
    read, names = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(read, image)
    assert read.dtype == dtype
    assert (names == ("red", "green", "blue")) is (channels[0] == "red")
