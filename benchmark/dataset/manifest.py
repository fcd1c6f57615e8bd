"""The manifest of a data set, `dataset.json`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from benchmark.dataset.digest import json_digest
from benchmark.errors import DatasetError

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "dataset.json"

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Version = Annotated[str, Field(pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$")]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,49}$")]


class Recipe(BaseModel):
    """The recipe that a generated data set was made from, and its digest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    content: dict[str, Any]
    digest: Digest


class Manifest(BaseModel):
    """What a data set says of itself.

    `digest` is the SHA-256 of all the other fields in canonical form. Among them stand the digests
    of the tables, and in the table of samples those of the arrays: the one figure covers all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    name: Name
    version: Version
    digest: Digest
    licence: str
    citation: str = ""
    source: str = ""
    recipe: Recipe | None = None
    networks: dict[Word, Digest] = {}
    axes: Literal["CYX"] = "CYX"
    channels: tuple[Word, ...] = Field(min_length=1)
    pixel_size_um: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    targets: tuple[Word, ...] = Field(min_length=1)
    splits: dict[Word, int]
    labels_note: str
    tables: dict[Literal["samples", "objects", "spots"], Digest]

    def computed_digest(self) -> str:
        """Return the digest that the other fields make."""
        return json_digest(self.model_dump(mode="json", exclude={"digest"}))


def sealed(fields: dict[str, Any]) -> Manifest:
    """Return the manifest of these fields with its digest computed."""
    draft = Manifest.model_validate({**fields, "digest": "0" * 64})
    return draft.model_copy(update={"digest": draft.computed_digest()})


def save(manifest: Manifest, folder: Path) -> None:
    """Write `dataset.json`."""
    text = json.dumps(manifest.model_dump(mode="json"), indent=2, ensure_ascii=False)
    (folder / FILE_NAME).write_text(text + "\n", encoding="utf-8")


def load(folder: Path) -> Manifest:
    """Read `dataset.json`; its digest is not checked here.

    Raises
    ------
    DatasetError
        If there is none, or it is no manifest of format 1.
    """
    path = folder / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise DatasetError(
            "this folder holds no data set of format 1",
            where=folder,
            mend="name the folder that holds dataset.json, or import it: bench dataset import",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"the manifest cannot be read: {error}", where=path) from error
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        raise invalid(error, path) from None


def invalid(error: ValidationError, where: Path) -> DatasetError:
    """Return the error that names the first wrong field of a manifest."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"]) or "the whole file"
    return DatasetError(
        f"the manifest is not valid: {field}: {first['msg']}",
        where=where,
        mend="get a fresh copy of the data set, or a newer version of this program",
    )
