"""`adapter.toml`, read and validated: what a segmenter is, what it offers and what it needs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path  # noqa: TC003 - pydantic reads annotations at run time
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from adapters.errors import AdapterError, UnknownModelError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

# "own" is the user's: nobody here knows what it was trained on.
Track = Literal["as-published", "same-data", "own", "classical", "control"]
Value = bool | int | float | str

_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
_TYPES: dict[str, type] = {"int": int, "float": float, "bool": bool, "str": str}
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class _Table(BaseModel):
    """A table of `adapter.toml`: every key is known, nothing is converted in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Licence(_Table):
    """Under which terms code and weights may be used; free text, SPDX where there is one."""

    code: str = "unstated"
    weights: str = "none"


class PythonNeeds(_Table):
    """The Python an algorithm runs on: a version specifier (PEP 440), such as ``>=3.9,<3.12``."""

    python: str = ">=3.8"


class Parameter(_Table):
    """One knob of an algorithm. No default means: what the algorithm chooses by itself."""

    type: Literal["int", "float", "bool", "str"]
    default: Value | None = None
    summary: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: Annotated[tuple[Value, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _default_is_allowed(self) -> Self:
        if self.default is not None:
            self.read(self.default)
        return self

    def read(self, value: Any) -> Value:
        """Return the value in this parameter's type; text from a command line is parsed.

        Raises
        ------
        ValueError
            Not of this type, out of range or not among the choices.

        Examples
        --------
        >>> Parameter(type="float", minimum=0).read("30")
        30.0
        """
        kind = _TYPES[self.type]
        result: Any = _parsed(value, kind) if isinstance(value, str) else value
        if kind is float and type(result) is int:
            result = float(result)
        # Not isinstance: True is an int to Python, but not to a user.
        if type(result) is not kind:
            raise ValueError(f"{value!r} is no {self.type}")
        if isinstance(result, int | float):
            if self.minimum is not None and not result >= self.minimum:
                raise ValueError(f"{value!r} is below the minimum of {self.minimum:g}")
            if self.maximum is not None and not result <= self.maximum:
                raise ValueError(f"{value!r} is above the maximum of {self.maximum:g}")
        if self.choices and result not in self.choices:
            raise ValueError(f"{value!r} is none of {', '.join(map(str, self.choices))}")
        return cast("Value", result)


def _parsed(text: str, kind: type) -> Any:
    if kind is bool:
        return _WORDS.get(text.strip().lower(), text)
    try:
        return kind(text)
    except ValueError:
        return text


class Model(_Table):
    """One set of weights, or one setting, of an algorithm.

    `file` is a path inside the adapter's folder; `path` is set where the user named weights of
    their own. Models without either fetch their weights by the algorithm's own means.
    """

    name: str
    track: Track
    summary: str = ""
    licence: str | None = None
    file: str | None = None
    path: Path | None = None

    @property
    def argument(self) -> str:
        """What `Segmenter.__init__` receives as `model`: the name, or the user's path."""
        return self.name if self.path is None else str(self.path)


class Adapter(_Table):
    """A segmenter as its folder describes it; `Adapter.load` reads one."""

    folder: Path
    name: _Name
    title: str = ""
    kind: Literal["python", "command"] = "python"
    command: Annotated[tuple[str, ...], Field(strict=False)] = ()
    output: Literal["tif", "png", "npy"] = "tif"
    summary: str = ""
    citation: str = ""
    homepage: str = ""
    targets: Annotated[tuple[str, ...], Field(strict=False)] = ("nuclei", "cells")
    default_model: str = ""
    needs_truth: bool = False
    licence: Licence = Licence()
    environment: PythonNeeds = PythonNeeds()
    models: dict[_Name, Model]
    parameters: dict[_Name, Parameter] = {}

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a folder with an `adapter.toml`, or with nothing but a `segmenter.py`.

        Raises
        ------
        AdapterError
            The folder is no adapter, or a key is wrong; the message names file and key.
        """
        folder = folder.resolve()
        file = folder / "adapter.toml"
        if file.is_file():
            try:
                data = tomllib.loads(file.read_text(encoding="utf-8"))
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise AdapterError(f"adapter.toml is no TOML: {error}", where=file) from error
            except OSError as error:
                raise AdapterError(f"adapter.toml cannot be read: {error}", where=file) from error
        elif (folder / "segmenter.py").is_file():
            # The shortest way to a first row: a folder with one Python file.
            data = {"name": name_of(folder), "models": {"default": {"track": "own"}}}
        else:
            raise AdapterError(
                "the folder is no adapter",
                where=folder,
                mend="put a segmenter.py (and an adapter.toml) there, see docs/adapters.md",
            )
        return cls._from_data(data, folder, file)

    @classmethod
    def _from_data(cls, data: dict[str, Any], folder: Path, file: Path) -> Self:
        _refuse_filled_in(Adapter, data, f"{file}: ")
        models = data.get("models")
        if isinstance(models, dict):
            for name, table in models.items():
                if isinstance(table, dict):
                    _refuse_filled_in(Model, table, f"{file}: models.{name}.")
                    table["name"] = name
        try:
            adapter = cls.model_validate({**data, "folder": folder})
        except ValidationError as error:
            raise _explained(error, file) from error
        adapter.check(file)
        return adapter

    def check(self, file: Path) -> None:
        """Check what concerns more than one key, and what lies beside the file."""
        wrong: str | None = None
        key = "models"
        if not self.models:
            wrong = "an adapter offers at least one model"
        elif self.default_model not in {"", *self.models}:
            key, wrong = "default_model", f"there is no model {self.default_model!r}"
        elif len(self.models) > 1 and not self.default_model:
            key, wrong = "default_model", "with several models, one has to be the default"
        elif self.needs_truth and any(m.track != "control" for m in self.models.values()):
            key, wrong = "needs_truth", "only a control may see the truth"
        elif self.kind == "command" and not {"{image}", "{labels}"} <= set(
            _placeholders(self.command)
        ):
            key, wrong = "command", "the command has to name {image} and {labels}"
        elif self.kind == "python" and not self.segmenter.is_file():
            key, wrong = "kind", "a Python adapter has a segmenter.py, and there is none"
        for name, model in self.models.items():
            # A file outside the folder would make the adapter depend on one machine.
            if model.file and not (self.folder / model.file).resolve().is_relative_to(self.folder):
                key, wrong = f"models.{name}.file", "the file lies outside the adapter's folder"
        if wrong:
            raise AdapterError(wrong, where=f"{file}: {key}", mend="see docs/adapters.md")

    @property
    def segmenter(self) -> Path:
        """The file with `class Segmenter`."""
        return self.folder / "segmenter.py"

    @property
    def requirements(self) -> Path | None:
        """The pinned requirements; None: the adapter runs on the harness's own Python."""
        file = self.folder / "requirements.txt"
        return file if file.is_file() else None

    @property
    def training(self) -> Path | None:
        """The file with `train`, where the adapter can be trained."""
        file = self.folder / "train.py"
        return file if file.is_file() else None

    def model(self, name: str | None = None) -> Model:
        """Return a model by its name; without one, the default.

        Raises
        ------
        UnknownModelError
            The adapter has no such model; the nearest known one is offered.
        """
        name = name or self.default_model or next(iter(self.models))
        if name not in self.models:
            raise UnknownModelError(
                f"{self.name} has no model {name!r}",
                where=self.folder / "adapter.toml",
                mend=nearest(name, self.models),
            )
        return self.models[name]

    def resolve(self, given: Mapping[str, Any]) -> dict[str, Value | None]:
        """Return every parameter's value: as given, or the default.

        Raises
        ------
        AdapterError
            An unknown parameter, a value of another type or out of range.
        """
        values: dict[str, Value | None] = {
            name: None if parameter.default is None else parameter.read(parameter.default)
            for name, parameter in sorted(self.parameters.items())
        }
        for name, value in given.items():
            if name not in self.parameters:
                known = nearest(name, self.parameters) if self.parameters else "it has none"
                raise AdapterError(f"{self.name} has no parameter {name!r}", mend=known)
            try:
                values[name] = self.parameters[name].read(value)
            except ValueError as error:
                raise AdapterError(f"parameter {name} of {self.name}: {error}") from error
        return values


def name_of(folder: Path) -> str:
    """Return the name of an adapter whose folder is all that names it.

    Examples
    --------
    >>> name_of(Path("my algo (new)"))
    'my-algo-new'
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", folder.name).strip("._-") or "own"


def _placeholders(command: tuple[str, ...]) -> list[str]:
    return [name for name in ("{image}", "{labels}") if any(name in word for word in command)]


_TABLES: dict[str, type[_Table]] = {
    "licence": Licence,
    "environment": PythonNeeds,
    "models": Model,
    "parameters": Parameter,
}
# What the loader knows better than the file.
_FILLED_IN: dict[type[_Table], set[str]] = {Adapter: {"folder"}, Model: {"name", "path"}}


def _refuse_filled_in(kind: type[_Table], table: dict[str, Any], where: str) -> None:
    for key in sorted(_FILLED_IN[kind] & set(table)):
        raise AdapterError("unknown key", where=where + key, mend="remove it")


def _explained(error: ValidationError, file: Path) -> AdapterError:
    """Turn pydantic's first complaint into one sentence with file, key and nearest known key."""
    first = error.errors()[0]
    place = [str(part) for part in first["loc"]]
    where = f"{file}: {'.'.join(place)}"
    if first["type"] == "extra_forbidden":
        table = _TABLES[place[0]] if len(place) > 1 else Adapter
        known = set(table.model_fields) - _FILLED_IN.get(table, set())
        return AdapterError("unknown key", where=where, mend=nearest(place[-1], known))
    if first["type"] == "missing":
        return AdapterError("a key is missing", where=where, mend="add it, see docs/adapters.md")
    return AdapterError(f"{first['msg']}, not {first['input']!r}", where=where)
