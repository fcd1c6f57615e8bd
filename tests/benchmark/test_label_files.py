"""Label files as other tools write them."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from PIL import Image

from benchmark.errors import BenchError, DatasetError, LabelError
from benchmark.label_files import read_labels

PLANE = np.kron(np.arange(6).reshape(2, 3), np.ones((4, 3))).astype(np.uint16)
VOLUME = np.stack([PLANE + 7 * z for z in range(5)]).astype(np.uint16)
BYTES = PLANE.astype(np.uint8)


def tiff(labels, **options):
    return lambda path: tifffile.imwrite(path, labels, **options)


def pillow(labels, **options):
    return lambda path: Image.fromarray(labels).save(path, **options)


def pillow_stack(labels, **options):
    def save(path):
        first, *others = map(Image.fromarray, labels)
        first.save(path, save_all=True, append_images=others, **options)

    return save


def palette(path):
    picture = Image.fromarray(BYTES).convert("P")
    picture.putpalette(np.arange(768, dtype=np.uint8)[::-1].tobytes())
    picture.save(path)


def deflated(labels):
    return lambda path: np.savez_compressed(path, masks=labels)


def array(labels):
    return lambda path: np.save(path, labels)


FILES = {
    "plain": ("a.tif", tiff(PLANE), PLANE),
    "upper case": ("A.TIFF", tiff(PLANE), PLANE),
    "8 bit": ("a.tif", tiff(BYTES), BYTES),
    "32 bit": ("a.tif", tiff(PLANE.astype(np.uint32) << 12), PLANE.astype(np.uint32) << 12),
    "signed": ("a.tif", tiff(PLANE.astype(np.int32)), PLANE),
    "big-endian": ("a.tif", tiff(PLANE, byteorder=">"), PLANE),
    "zlib": ("a.tif", tiff(PLANE, compression="zlib", predictor=True), PLANE),
    "LZW": ("a.tif", pillow(PLANE, compression="tiff_lzw"), PLANE),
    "packbits": ("a.tif", pillow(PLANE, compression="packbits"), PLANE),
    "BigTIFF": ("a.tif", tiff(PLANE, bigtiff=True), PLANE),
    "tiled": ("a.tif", tiff(PLANE, tile=(16, 16)), PLANE),
    "ImageJ": ("a.tif", tiff(PLANE, imagej=True), PLANE),
    "OME": ("a.ome.tif", tiff(PLANE[None, None], metadata={"axes": "CZYX"}), PLANE),
    "stack": ("a.tif", tiff(VOLUME), VOLUME),
    "stack of pages": ("a.tif", tiff(VOLUME, metadata=None), VOLUME),
    "compressed stack": ("a.tif", tiff(VOLUME, compression="zlib"), VOLUME),
    "LZW stack": ("a.tif", pillow_stack(VOLUME, compression="tiff_lzw"), VOLUME),
    "BigTIFF stack": ("a.tif", tiff(VOLUME, bigtiff=True), VOLUME),
    "ImageJ stack": ("a.tif", tiff(VOLUME, imagej=True, metadata={"axes": "ZYX"}), VOLUME),
    # What tifffile calls the planes where nobody says what they are.
    "ImageJ stack without axes": ("a.tif", tiff(VOLUME, imagej=True), VOLUME),
    "thin ImageJ stack": (
        "a.tif",
        tiff(VOLUME[:2], imagej=True, metadata={"axes": "ZYX"}),
        VOLUME[:2],
    ),
    "thin stack": ("a.tif", tiff(VOLUME[:3], photometric="minisblack"), VOLUME[:3]),
    "OME stack": ("a.ome.tif", tiff(VOLUME, metadata={"axes": "ZYX"}), VOLUME),
    "8-bit PNG": ("a.png", pillow(BYTES), BYTES),
    "16-bit PNG": ("a.png", pillow(PLANE), PLANE),
    "PNG with a palette": ("a.png", palette, BYTES),
    "grey PNG in colour": ("a.png", pillow(np.dstack([BYTES] * 3)), BYTES),
    "NPY": ("a.npy", array(PLANE), PLANE),
    "64 bit": ("a.npy", array(PLANE.astype(np.uint64) << 40), PLANE.astype(np.uint64) << 40),
    "big-endian NPY": ("a.npy", array(PLANE.astype(">i4")), PLANE),
    "Fortran order": ("a.npy", array(np.asfortranarray(VOLUME)), VOLUME),
    "single plane": ("a.npy", array(PLANE[None]), PLANE),
    "single channel": ("a.npy", array(PLANE[..., None]), PLANE),
    "batch of one": ("a.npy", array(PLANE[None, ..., None]), PLANE),
    "NPY volume": ("a.npy", array(VOLUME), VOLUME),
    "thin volume": ("a.npy", array(VOLUME[:2]), VOLUME[:2]),
    "NPZ": ("a.npz", deflated(PLANE), PLANE),
}


@pytest.mark.parametrize(("name", "write", "labels"), FILES.values(), ids=FILES)
def test_labels_of_other_tools(tmp_path, name, write, labels):
    write(tmp_path / name)
    read = read_labels(tmp_path / name)
    assert read.dtype.kind in "iu"
    np.testing.assert_array_equal(read, labels)


COLOURS = np.dstack([BYTES, BYTES[::-1], BYTES])
REFUSED = {
    "colours": ("a.png", pillow(COLOURS), "coloured"),
    "colours, TIFF": ("a.tif", tiff(COLOURS), "coloured"),
    "colours, transparent": ("a.png", pillow(np.dstack([COLOURS, BYTES])), "coloured"),
    "colours, NPY": ("a.npy", array(COLOURS), "neither a plane nor a volume"),
    "three planes saved as colours": (
        "a.tif",
        tiff(VOLUME[:3], photometric="rgb", planarconfig="separate"),
        "coloured",
    ),
    "channels": ("a.tif", tiff(VOLUME[:2], imagej=True), "neither a plane nor a volume"),
    "times": (
        "a.tif",
        tiff(VOLUME, imagej=True, metadata={"axes": "TYX"}),
        "has the axes TYX and the shape \\(5, 8, 9\\)",
    ),
    "times of volumes": (
        "a.tif",
        tiff(np.stack([VOLUME] * 2), imagej=True, metadata={"axes": "TZYX"}),
        "neither a plane nor a volume",
    ),
    "four axes": ("a.npy", array(np.stack([VOLUME] * 2)), "neither a plane nor a volume"),
    "a line": ("a.npy", array(PLANE[0]), "neither a plane nor a volume"),
    "a number": ("a.npy", array(np.uint8(3)), "neither a plane nor a volume"),
    "two arrays": ("a.npz", lambda path: np.savez(path, a=PLANE, b=PLANE), "holds 2 arrays"),
    "no array": ("a.npz", np.savez, "holds 0 arrays"),
    "several images": (
        "a.tif",
        lambda path: [tifffile.imwrite(path, x, append=True) for x in (PLANE, PLANE[:3])],
        "holds 2 images",
    ),
    "JPEG": ("a.jpg", pillow(BYTES), "JPEG changes values"),
    "another kind": ("a.zarr", lambda path: path.write_bytes(b""), ".zarr is no kind of"),
    "no suffix": ("a", lambda path: path.write_bytes(b""), "a file without a suffix"),
    "a Python object": (
        "a_seg.npy",
        lambda path: np.save(path, np.array({"masks": PLANE}), allow_pickle=True),
        "Python object",
    ),
    "objects in an NPZ": (
        "a.npz",
        lambda path: np.savez(path, masks=np.array([None, 1])),
        "Python object",
    ),
    "missing": ("a.tif", lambda path: None, "there is no such file"),
}


@pytest.mark.parametrize(("name", "write", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_label_file(tmp_path, name, write, message):
    write(tmp_path / name)
    with pytest.raises(DatasetError, match=message) as caught:
        read_labels(tmp_path / name)
    assert caught.value.where == str(tmp_path / name)
    assert caught.value.mend


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.complex64])
def test_whole_numbers_of_another_type_are_refused(tmp_path, dtype):
    np.save(tmp_path / "a.npy", PLANE.astype(dtype))
    with pytest.raises(LabelError, match=np.dtype(dtype).name):
        read_labels(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("value", "message"), [(0.5, "fractions"), (np.nan, "NaN"), (np.inf, "infinity")]
)
def test_what_is_wrong_with_floats_is_said(tmp_path, value, message):
    labels = PLANE.astype(np.float32)
    labels[0, 0] = value
    tifffile.imwrite(tmp_path / "a.tif", labels)
    with pytest.raises(LabelError, match=message) as caught:
        read_labels(tmp_path / "a.tif")
    assert "Fiji" in caught.value.mend


def test_negative_and_empty_labels_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", PLANE.astype(np.int16) - 1)
    with pytest.raises(LabelError, match="the least is -1"):
        read_labels(tmp_path / "a.tif")
    np.save(tmp_path / "a.npy", PLANE[:0])
    with pytest.raises(LabelError, match="holds no pixel"):
        read_labels(tmp_path / "a.npy")


@pytest.mark.parametrize("name", ["a.tif", "a.png", "a.npy", "a.npz"])
def test_damage_is_an_error_of_this_project_or_harmless(tmp_path, name):
    write = {"tif": tiff(VOLUME, compression="zlib"), "png": pillow(PLANE), "npy": array(PLANE)}
    write.get(name[2:], deflated(PLANE))(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(60):
        content = bytearray(whole[: rng.integers(len(whole))] if rng.random() < 0.5 else whole)
        for place in rng.integers(max(len(content), 1), size=4 if content else 0):
            content[place] = rng.integers(256)
        (tmp_path / name).write_bytes(content)
        try:
            read = read_labels(tmp_path / name)
        except BenchError as error:
            assert error.where == str(tmp_path / name)  # noqa: PT017
        else:
            assert read.dtype.kind in "iu"


def test_regions_of_binary_masks(tmp_path):
    mask = np.zeros((3, 6, 6), np.uint8)
    mask[0, 0, 0] = mask[1, 1, 1] = 255  # they touch at a corner
    mask[:, 4:, 4:] = 255
    tifffile.imwrite(tmp_path / "a.tif", mask, photometric="minisblack")
    labels = read_labels(tmp_path / "a.tif", binary=True)
    assert labels.max() == 2
    assert labels[0, 0, 0] == labels[1, 1, 1] != labels[2, 5, 5]
    assert (labels > 0).sum() == 14
    np.save(tmp_path / "b.npy", mask > 0)
    np.testing.assert_array_equal(read_labels(tmp_path / "b.npy", binary=True), labels)
    assert read_labels(tmp_path / "b.npy", binary=False).dtype == np.uint8
    Image.fromarray(mask[0] > 0).save(tmp_path / "c.png")  # one bit a pixel
    assert read_labels(tmp_path / "c.png", binary=True).max() == 2


def test_masks_are_told_from_labels(tmp_path):
    def read(labels, **options):
        np.save(tmp_path / "a.npy", np.array(labels))
        return read_labels(tmp_path / "a.npy", **options)

    assert read([[1, 1, 0], [0, 1, 0]]).max() == 1  # a single object
    assert read([[0, 0], [0, 0]]).max() == 0
    assert read([[7, 0, 7]]).max() == 7  # in two pieces, but with an id of its own
    for mask in ([[1, 0, 1]], [[255, 255, 0]], [[True, False]]):
        with pytest.raises(DatasetError, match="binary mask"):
            read(mask)
        assert read(mask, binary=False).max() == np.max(mask)
    with pytest.raises(DatasetError, match="no binary mask"):
        read([[1, 2]], binary=True)
