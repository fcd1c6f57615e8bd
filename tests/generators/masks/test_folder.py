"""Pictures from folders and archives, among them those that mean harm."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from benchmark.errors import DatasetError
from generators.masks import folder


def png(array):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "png")
    return file.getvalue()


@pytest.fixture
def pack(tmp_path):
    """Return a function that writes files by name as a folder or as an archive."""

    def write(files, *, archive):
        place = tmp_path / ("data.zip" if archive else "data")
        if archive:
            with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as packed:
                for name, content in files.items():
                    packed.writestr(name, content)
        else:
            for name, content in files.items():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                (place / name).write_bytes(content)
        return place

    return write


GREY = np.array([[0, 255], [51, 204]], np.uint8)


@pytest.mark.parametrize("archive", [False, True])
def test_pictures_come_in_order_within_minus_one_and_one(pack, archive):
    tiff = io.BytesIO()
    tifffile.imwrite(tiff, (GREY.astype(np.uint16) * 257))
    colour = np.stack([GREY, 255 - GREY, GREY], axis=2)
    place = pack(
        {
            "b/two.TIF": tiff.getvalue(),
            "a/one.png": png(GREY),
            "c.png": png(colour),
            "notes.txt": b"nothing",
            "__MACOSX/a/._one.png": b"a shadow",
        },
        archive=archive,
    )
    source = folder.look(place)
    assert source.names == ("a/one.png", "b/two.TIF", "c.png")
    found = dict(source.pictures())
    expected = GREY / 127.5 - 1
    np.testing.assert_allclose(found["a/one.png"][0], expected, atol=1e-6)
    np.testing.assert_allclose(found["b/two.TIF"][0], expected, atol=1e-6)
    np.testing.assert_allclose(found["c.png"], [expected, -expected, expected], atol=1e-6)
    assert {picture.dtype for picture in found.values()} == {np.dtype(np.float32)}


def test_opacity_is_no_channel(pack):
    rgba = np.zeros((2, 2, 4), np.uint8)
    rgba[..., 1], rgba[..., 3] = 255, 7
    source = folder.look(pack({"a.png": png(rgba)}, archive=False))
    ((_, picture),) = source.pictures()
    assert picture[:, 0, 0].tolist() == [-1, 1, -1]


@pytest.mark.parametrize("archive", [False, True])
def test_classes_stand_in_dataset_json(pack, archive):
    labels = {"labels": [["a.png", 2], ["b.png", 0]]}
    files = {name: png(GREY) for name in ("a.png", "b.png")}
    files["dataset.json"] = json.dumps(labels).encode()
    source = folder.look(pack(files, archive=archive))
    assert folder.one_hot(source).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_classes_may_be_vectors_or_absent(pack):
    files = {"a.png": png(GREY), "dataset.json": b'{"labels": [["a.png", [0.5, 1]]]}'}
    assert folder.one_hot(folder.look(pack(files, archive=True))).tolist() == [[0.5, 1]]
    files["dataset.json"] = b'{"labels": null}'
    assert folder.one_hot(folder.look(pack(files, archive=True))) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{", "cannot be read"),
        (b"[]", "cannot be read"),
        (b'{"labels": [["b.png", 1]]}', "1 pictures have no class"),
        (b'{"labels": [["a.png", -1]]}', "several kinds"),
        (b'{"labels": [["a.png", "x"]]}', "several kinds"),
        (b'{"labels": [["a.png", 99999999]]}', "several kinds"),
    ],
)
def test_classes_that_mean_nothing_are_refused(pack, text, message):
    place = pack({"a.png": png(GREY), "dataset.json": text}, archive=True)
    with pytest.raises(DatasetError, match=message):
        folder.one_hot(folder.look(place))


def test_names_in_an_archive_lead_nowhere(pack, tmp_path):
    place = pack({"a/../../../escaped.png": png(GREY), "/etc/x.png": png(GREY)}, archive=True)
    before = sorted(tmp_path.parent.rglob("*"))
    assert len(list(folder.look(place).pictures())) == 1
    assert sorted(tmp_path.parent.rglob("*")) == before


def test_an_archive_that_unpacks_to_too_much_is_refused(pack, monkeypatch):
    monkeypatch.setattr(folder, "MOST_BYTES", 10_000)
    place = pack({"bomb.png": b"\0" * 1_000_000}, archive=True)
    assert place.stat().st_size < 10_000
    with pytest.raises(DatasetError, match="unpacked"):
        list(folder.look(place).pictures())


def test_a_picture_that_says_it_is_huge_is_refused_before_it_is_decoded(pack):
    def chunk(kind, data):
        content = kind + data
        return struct.pack(">I", len(data)) + content + struct.pack(">I", zlib.crc32(content))

    header = struct.pack(">IIBBBBB", 13_000, 13_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    with pytest.raises(DatasetError, match=r"MiB unpacked|exceeds limit"):
        list(folder.look(pack({"bomb.png": bomb}, archive=False)).pictures())


@pytest.mark.parametrize(
    "content", [b"", b"no picture", png(GREY)[:40]], ids=["empty", "text", "truncated"]
)
@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_damaged_files_are_named(pack, content, name):
    place = pack({name: content}, archive=True)
    with pytest.raises(DatasetError, match="cannot be read") as caught:
        list(folder.look(place).pictures())
    assert caught.value.where.endswith(f"data.zip: {name}")


@pytest.mark.parametrize("value", [np.nan, np.inf, 7.0, -0.5])
def test_floats_have_to_be_within_black_and_white(pack, value):
    tiff = io.BytesIO()
    tifffile.imwrite(tiff, np.array([[0.0, value]], np.float32))
    with pytest.raises(DatasetError, match="NaN, or numbers"):
        list(folder.look(pack({"a.tif": tiff.getvalue()}, archive=False)).pictures())


def test_stacks_and_signed_pictures_are_refused(pack):
    for array, message in (
        (np.zeros((5, 4, 4), np.uint8), "no single picture"),
        (np.zeros((4, 4), np.int16), "no white"),
    ):
        tiff = io.BytesIO()
        tifffile.imwrite(tiff, array, photometric="minisblack")
        with pytest.raises(DatasetError, match=message):
            list(folder.look(pack({"a.tif": tiff.getvalue()}, archive=False)).pictures())


def test_what_holds_no_pictures_is_refused(pack, tmp_path):
    with pytest.raises(DatasetError, match="no such folder"):
        folder.look(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="holds 0 pictures"):
        folder.look(pack({"a.txt": b""}, archive=False))
    (tmp_path / "file.zip").write_bytes(b"not an archive")
    with pytest.raises(DatasetError, match="neither a folder nor a zip"):
        folder.look(tmp_path / "file.zip")
