"""Packing a folder into a zip whose bytes depend on nothing but the files' content."""

import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

# The earliest time that a zip can hold.
_TIMESTAMP = (1980, 1, 1, 0, 0, 0)
_REGULAR_FILE_0644 = 0o100644 << 16
_UNIX = 3
_COMPRESSION_LEVEL = 9

# Not needed at run time, and different from one machine or run to the next.
_LEFT_OUT_FOLDERS = frozenset({"__pycache__", "tests"})
_LEFT_OUT_METADATA = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})


def is_shipped(path: PurePosixPath) -> bool:
    """Tell whether a file, named relative to the zip's root, belongs in the zip."""
    if path.parts[0] in {"bin", ".lock"} or not _LEFT_OUT_FOLDERS.isdisjoint(path.parts[:-1]):
        return False
    if path.suffix == ".pyc":
        return False
    in_metadata = path.parts[0].endswith(".dist-info")
    is_uv_note = path.name.startswith("uv_") and path.suffix == ".json"
    return not (in_metadata and (path.name in _LEFT_OUT_METADATA or is_uv_note))


def pack(folder: Path, archive: Path) -> None:
    """Write the shipped files below `folder` to `archive`: sorted, one time, one permission."""
    with zipfile.ZipFile(
        archive, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION_LEVEL
    ) as out:
        for name in sorted(_shipped_files(folder), key=str):
            entry = zipfile.ZipInfo(str(name), date_time=_TIMESTAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = _UNIX
            entry.external_attr = _REGULAR_FILE_0644
            out.writestr(entry, (folder / name).read_bytes())


def _shipped_files(folder: Path) -> Iterator[PurePosixPath]:
    for path in folder.rglob("*"):
        if path.is_file():
            name = PurePosixPath(path.relative_to(folder).as_posix())
            if is_shipped(name):
                yield name
