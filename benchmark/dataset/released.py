"""Data sets that were released: one name and version, one content, for everybody."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from benchmark.dataset.manifest import Digest, Name, Version, Word  # noqa: TC001 - read by pydantic
from benchmark.errors import DatasetError

if TYPE_CHECKING:
    from typing import Self

    from benchmark.dataset.manifest import Manifest

REGISTRY = Path(__file__).with_name("released.toml")


class Release(BaseModel):
    """A data set that was released.

    Attributes
    ----------
    name, version
        What it is called.
    recipe, seed
        What it is generated from: `bench generate RECIPE --seed SEED`.
    digest
        Of the whole set.
    splits
        Number of samples in each split.
    shipped
        Splits that come with the package; the others are generated.
    shipped_digest
        Of what comes with the package, where that is not the whole set.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    version: Version
    recipe: str
    seed: int = Field(ge=0)
    digest: Digest
    splits: dict[Word, int]
    shipped: tuple[Word, ...] = ()
    shipped_digest: Digest | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if unknown := set(self.shipped) - set(self.splits):
            raise ValueError(f"there is no split {min(unknown)!r} to ship")
        if self.shipped_digest is not None and len(self.shipped) != 1:
            raise ValueError("what ships in part is one split")
        in_part = bool(self.shipped) and set(self.shipped) != set(self.splits)
        if in_part != (self.shipped_digest is not None):
            raise ValueError("shipped_digest is needed where a part is shipped, and only there")
        return self

    @property
    def command(self) -> str:
        """What makes it, but for `--out FOLDER`."""
        return f"bench generate {self.recipe}" + (f" --seed {self.seed}" if self.seed else "")

    @property
    def digests(self) -> tuple[str, ...]:
        """The digests that may stand under this name and version."""
        return (self.digest, *([self.shipped_digest] if self.shipped_digest else []))


@cache
def releases(path: Path = REGISTRY) -> tuple[Release, ...]:
    """Return what was released, in the order of the registry.

    Raises
    ------
    DatasetError
        If the registry is damaged, or has a name and version twice.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        found = tuple(Release.model_validate(entry) for entry in document.get("release", ()))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise DatasetError(
            f"the registry of releases cannot be read: {error}",
            where=path,
            mend="install the package again",
        ) from error
    named = [(release.name, release.version) for release in found]
    for pair in named:
        if named.count(pair) > 1:
            raise DatasetError(
                f"{' '.join(pair)} stands twice in the registry of releases",
                where=path,
                mend="remove one entry",
            )
    return found


def release_of(manifest: Manifest, path: Path = REGISTRY) -> Release | None:
    """Return the release of a data set's name and version, if there is one."""
    for release in releases(path):
        if (release.name, release.version) == (manifest.name, manifest.version):
            return release
    return None


def check(manifest: Manifest, where: Path, path: Path = REGISTRY) -> None:
    """Compare a data set with what was released under its name and version.

    Raises
    ------
    DatasetError
        If that was another content.
    """
    release = release_of(manifest, path)
    if release is not None and manifest.digest not in release.digests:
        raise DatasetError(
            f"{manifest.name} {manifest.version} was released with another content: "
            f"digest {release.digest[:12]}, this has {manifest.digest[:12]}",
            where=where,
            mend="use the released one, or give this one a name or version of its own",
        )
