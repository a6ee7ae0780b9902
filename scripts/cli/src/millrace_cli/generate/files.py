"""Writes a sample: the events where they are wanted, everything else beside them."""

import gzip
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import orjson

from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.generate.sample import Sample

_SUFFIXES = (".gz", ".ndjson", ".jsonl", ".json")


def companions(out: Path) -> tuple[Path, Path, Path]:
    """Return where assignments, experiments and the truth lie beside the events in `out`."""
    stem = out.name
    for suffix in _SUFFIXES:
        stem = stem.removesuffix(suffix)
    return (
        out.with_name(f"{stem}.assignments.ndjson"),
        out.with_name(f"{stem}.experiments.ndjson"),
        out.with_name(f"{stem}.truth.json"),
    )


def check_free(out: Path, *, replace: bool) -> None:
    """Make sure that nothing is overwritten unasked.

    Raises:
        CommandError: a file is there already, or the folder is not.
    """
    if not out.parent.is_dir():
        raise CommandError(f"there is no folder {out.parent}", "make it first", ExitCode.USAGE)
    for file in (out, *companions(out)):
        if file.is_dir():
            raise CommandError(f"{file} is a folder", "give --out a file's path", ExitCode.USAGE)
        if file.exists() and not replace:
            raise CommandError(
                f"{file} is there already", "add --force to replace it", ExitCode.USAGE
            )


def write_sample(sample: Sample, out: Path) -> None:
    """Write all four files, each whole or not at all; gzip if `out` ends in `.gz`.

    A compressed file holds no time or name; its bytes depend on the zlib that wrote them, what it
    holds does not.

    Raises:
        CommandError: a file cannot be written.
    """
    assignments, experiments, truth = companions(out)
    _write_lines(out, sample.lines)
    _write_lines(assignments, map(orjson.dumps, sample.assignments))
    _write_lines(experiments, map(orjson.dumps, sample.experiments))
    _write_lines(truth, [orjson.dumps(sample.truth.as_dict(), option=orjson.OPT_INDENT_2)])


def _write_lines(file: Path, lines: Iterable[bytes]) -> None:
    with _replaced(file) as target:
        for line in lines:
            target.write(line + b"\n")


@contextmanager
def _replaced(file: Path) -> Iterator[IO[bytes]]:
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as plain:
            if file.suffix == ".gz":
                with gzip.GzipFile("", "wb", fileobj=plain, mtime=0) as packed:
                    yield cast("IO[bytes]", packed)
            else:
                yield plain
        part.replace(file)
    except OSError as err:
        raise CommandError(
            f"cannot write {file}: {(err.strerror or str(err)).lower()}", "choose another --out"
        ) from err
    finally:
        part.unlink(missing_ok=True)
