"""`croissant.json`: the data set described for search engines and loaders.

MLCommons Croissant 1.0, https://docs.mlcommons.org/croissant/docs/croissant-spec.html
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from benchmark.dataset.manifest import Manifest
    from benchmark.dataset.tables import TableName

FILE_NAME = "croissant.json"

_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def save(manifest: Manifest, contents: Mapping[TableName, pa.Table], folder: Path) -> None:
    """Write `croissant.json` for the tables that lie in the folder."""
    text = json.dumps(_describe(manifest, contents, folder), indent=2, ensure_ascii=False)
    (folder / FILE_NAME).write_text(text + "\n", encoding="utf-8")


def describes(path: Path, manifest: Manifest) -> bool:
    """Say whether a description is one of this data set."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return bool(found["identifier"] == _identifier(manifest))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _describe(
    manifest: Manifest, contents: Mapping[TableName, pa.Table], folder: Path
) -> dict[str, Any]:
    described = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": manifest.name,
        "description": "Microscopy images with instance labels of "
        f"{' and '.join(manifest.targets)}: {sum(manifest.splits.values())} samples, "
        + ", ".join(f"{count} {split}" for split, count in manifest.splits.items()),
        "version": manifest.version,
        "identifier": _identifier(manifest),
        "license": manifest.licence,
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": f"{name}.parquet",
                "name": f"{name}.parquet",
                "contentUrl": f"{name}.parquet",
                "encodingFormat": "application/x-parquet",
                "sha256": _file_digest(folder / f"{name}.parquet"),
            }
            for name in contents
        ],
        "recordSet": [_record_set(name, table) for name, table in contents.items()],
    }
    if manifest.citation:
        described["citeAs"] = manifest.citation
    if manifest.source.startswith(("http://", "https://")):
        described["url"] = manifest.source
    return described


def _identifier(manifest: Manifest) -> str:
    return f"sha256:{manifest.digest}"


def _record_set(name: str, table: pa.Table) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "field": [_field(name, column) for column in table.schema],
    }


def _field(table: str, column: Any) -> dict[str, Any]:
    repeated = pa.types.is_list(column.type)
    kind = column.type.value_type if repeated else column.type
    if pa.types.is_string(kind):
        data_type = "sc:Text"
    elif pa.types.is_boolean(kind):
        data_type = "sc:Boolean"
    else:
        data_type = "sc:Integer" if pa.types.is_integer(kind) else "sc:Float"
    field = {
        "@type": "cr:Field",
        "@id": f"{table}/{column.name}",
        "name": column.name,
        "dataType": data_type,
        "source": {
            "fileObject": {"@id": f"{table}.parquet"},
            "extract": {"column": column.name},
        },
    }
    return {**field, "repeated": True} if repeated else field


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
