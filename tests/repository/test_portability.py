"""Nothing in the repository depends on the machine it was written on."""

import re
from pathlib import Path

import pytest

# Folders of one user or one machine; what stands before keeps parts of URLs and words out.
_MACHINE_PATH = re.compile(
    r"""(?:^|[\s"'`=:(\[,])(?:/(?:home|Users|root|mnt)/[\w.-]|/opt/(?!python)[\w.-]|[A-Z]:\\Users)""",
    re.MULTILINE,
)
_INDEX_HOST = re.compile(
    r"\b(?:pypi|pythonhosted|npmjs)\.(?:org|com)\b|//[\w.-]*(?:pypi|artifactory|nexus)[\w.-]*[/:]"
)
_OPTION_OF_INDEX = re.compile(r"^--(?:index-url|extra-index-url|find-links)", re.MULTILINE)
_SECRET = re.compile(
    r"\b(?:AKIA|ASIA)(?!IOSFODNN7EXAMPLE)[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
_LEFT_BEHIND = re.compile(r"\b(?:TODO|FIXME)\b")


@pytest.fixture(scope="session")
def texts(root: Path, files: tuple[Path, ...]) -> dict[Path, str]:
    """Every text file; this one holds the patterns themselves."""
    own = Path(__file__).resolve().relative_to(root)
    read = {}
    for path in files:
        content = (root / path).read_bytes()
        if path != own and b"\0" not in content:
            read[path] = content.decode("utf-8", errors="replace")
    return read


@pytest.mark.parametrize(
    "pattern",
    [_MACHINE_PATH, _INDEX_HOST, _SECRET, _LEFT_BEHIND],
    ids=["machine path", "package index", "secret", "left behind"],
)
def test_no_file_holds(texts: dict[Path, str], pattern: re.Pattern[str]) -> None:
    """No file names a machine's folder, a package index or a secret, or puts work off."""
    found = [
        f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match.group().strip()}"
        for path, text in texts.items()
        for match in pattern.finditer(text)
    ]
    assert not found


def test_no_file_names_this_checkout(root: Path, texts: dict[Path, str]) -> None:
    """No file names the folder that this checkout lies in, or this user's home."""
    own = re.compile(
        rf"(?<![\w.])(?:{re.escape(str(root))}|{re.escape(str(Path.home()))})(?=/)", re.MULTILINE
    )
    assert not [str(path) for path, text in texts.items() if own.search(text)]


def test_requirements_hold_names_and_hashes_only(texts: dict[Path, str]) -> None:
    """A locked file names no host and no index, and each of its pins has a hash."""
    locked = {
        path: text
        for path, text in texts.items()
        if path.suffix == ".txt" and ("requirements" in path.parts or path.stem == "requirements")
    }
    assert locked
    for path, text in locked.items():
        assert "://" not in text, path
        assert not _OPTION_OF_INDEX.search(text), path
        pins = text.replace("\\\n", "").splitlines()
        assert all("==" in pin and "--hash=sha256:" in pin for pin in pins if pin), path


def test_text_files_are_tidy(texts: dict[Path, str]) -> None:
    """Text files have Unix line ends, no space at the end of a line, and a last newline."""
    untidy = [
        str(path)
        for path, text in texts.items()
        if path.name != "LICENSE"
        and "fixtures" not in path.parts
        and path.suffix in {".py", ".md", ".toml", ".tf", ".hcl", ".sh", ""}
        and text
        and ("\r" in text or re.search(r"[ \t]+$", text, re.MULTILINE) or text[-1] != "\n")
    ]
    assert not untidy
