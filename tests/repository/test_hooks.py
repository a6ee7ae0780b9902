"""The git hooks, in a repository of their own: what they let pass, and what they say if not."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_GOOD = '"""A module."""\n\nANSWER = 42\n'
_UGLY = '"""A module."""\n\nANSWER   =  42\n'
_WRONG = '"""A module."""\n\nimport os\n'
_MESSAGE = "feat(demo): a module that answers\n\nBecause somebody asked.\n"


class Clone:
    """A repository with the project's hooks, rules and environment."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder
        for name in (".githooks", "scripts/build"):
            shutil.copytree(root / name, folder / name)
        for name in ("Makefile", "pyproject.toml"):
            shutil.copy(root / name, folder / name)
        (folder / ".venv").symlink_to(root / ".venv")
        self.git("init", "--quiet")
        self.git("add", ".githooks", "pyproject.toml")

    def run(self, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a program here, with no configuration of whoever runs the tests."""
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "GIT_CONFIG_NOSYSTEM": "1"}
        for role in ("AUTHOR", "COMMITTER"):
            env |= {f"GIT_{role}_NAME": "Ada", f"GIT_{role}_EMAIL": "ada@example.com"}
        return subprocess.run(
            command, cwd=self.folder, env=env, input=stdin, capture_output=True, text=True,
            check=False,
        )  # fmt: skip

    def git(self, *arguments: str) -> str:
        """Run git; it must succeed."""
        done = self.run("git", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def commit(
        self, text: str = _GOOD, message: str = _MESSAGE
    ) -> subprocess.CompletedProcess[str]:
        """Stage a module with this text and try to commit it."""
        (self.folder / "demo.py").write_text(text)
        self.git("add", "demo.py")
        return self.run("git", "commit", "--quiet", "--file", "-", stdin=message)


@pytest.fixture
def clone(tmp_path: Path, root: Path) -> Clone:
    made = Clone(tmp_path, root)
    done = made.run("make", "hooks")
    assert done.returncode == 0, done.stderr
    return made


def test_a_good_commit_passes(clone: Clone) -> None:
    """Formatted, without findings, in the grammar: it is made."""
    done = clone.commit()
    assert done.returncode == 0, done.stderr
    assert clone.git("log", "--format=%s").strip() == "feat(demo): a module that answers"


@pytest.mark.parametrize(
    ("text", "remedy"), [(_UGLY, "run 'make format'"), (_WRONG, "'make format' mends some of it")]
)
def test_what_ruff_refuses_is_not_committed(clone: Clone, text: str, remedy: str) -> None:
    """The file is named with a remedy; nothing is committed and the file stays as it is."""
    done = clone.commit(text)
    assert done.returncode == 1
    assert "demo.py" in done.stderr
    assert remedy in done.stderr
    assert (clone.folder / "demo.py").read_text() == text
    assert clone.run("git", "log").returncode != 0


def test_the_staged_content_is_what_counts(clone: Clone) -> None:
    """A good staged version passes though the working tree is ugly, and the other way round."""
    (clone.folder / "demo.py").write_text(_GOOD)
    clone.git("add", "demo.py")
    (clone.folder / "demo.py").write_text(_UGLY)
    assert clone.run("git", "commit", "--quiet", "-F", "-", stdin=_MESSAGE).returncode == 0
    clone.git("add", "demo.py")
    (clone.folder / "demo.py").write_text(_GOOD)
    refused = clone.run("git", "commit", "--quiet", "-F", "-", stdin=_MESSAGE)
    assert refused.returncode == 1
    assert "not formatted" in refused.stderr


def test_a_clone_that_is_not_set_up_says_so(clone: Clone) -> None:
    """Without .venv Python is not committed unchecked, and `make setup` is named."""
    (clone.folder / ".venv").unlink()
    done = clone.commit()
    assert done.returncode == 1
    assert "make setup" in done.stderr
    assert "--no-verify" in done.stderr
    clone.git("rm", "--quiet", "--cached", "demo.py")
    (clone.folder / "note.md").write_text("No code, no tools needed.\n")
    clone.git("add", "note.md")
    assert clone.run("git", "commit", "--quiet", "-F", "-", stdin=_MESSAGE).returncode == 0


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("a module that answers", "not of the form"),
        ("feature(demo): a module", "not of the form"),
        ("feat(Demo): a module", "not of the form"),
        ("feat(demo):a module", "not of the form"),
        ("feat(demo): ", "not of the form"),
        ("feat(demo): a module.", "full stop"),
        (f"feat(demo): {'a' * 100}", "112 characters"),
        ("feat(demo): a module\nBecause.", "second line"),
    ],
)
def test_a_message_outside_the_grammar_is_refused(clone: Clone, message: str, problem: str) -> None:
    """The fault, an example and how to get the message back are said."""
    done = clone.commit(message=message)
    assert done.returncode == 1
    assert problem in done.stderr
    assert "feat(ingest): gate events" in done.stderr
    assert ".git/COMMIT_EDITMSG" in done.stderr


@pytest.mark.parametrize(
    "message",
    [
        "fix: without a scope",
        "feat(cli, local): two scopes",
        "Merge branch 'main' of somewhere",
        'Revert "feat(demo): a module"',
        "fixup! feat(demo): a module",
        "docs(adr): why it is so\n\n# a comment of Git's\nBecause. # not one\n",
    ],
)
def test_messages_of_the_grammar_and_gits_own_pass(clone: Clone, message: str) -> None:
    """Scopes are optional; merges, reverts and fixups keep Git's words."""
    done = clone.commit(message=message)
    assert done.returncode == 0, done.stderr


def test_other_hooks_are_not_replaced(tmp_path: Path, root: Path) -> None:
    """Where Git uses hooks of somebody's own, they stay and the way out is named."""
    made = Clone(tmp_path, root)
    made.git("config", "core.hooksPath", "mine")
    done = made.run("make", "hooks")
    assert done.returncode != 0
    assert "mine" in done.stderr
    assert "--unset core.hooksPath" in done.stderr
    assert made.git("config", "core.hooksPath").strip() == "mine"


def test_a_copy_without_git_needs_no_hooks(tmp_path: Path, root: Path) -> None:
    """`make hooks` in an unpacked archive does nothing, successfully."""
    made = Clone(tmp_path, root)
    shutil.rmtree(tmp_path / ".git")
    done = made.run("make", "hooks")
    assert (done.returncode, "no clone" in done.stdout) == (0, True)


def test_every_hook_can_be_executed(root: Path) -> None:
    """Git skips a hook that may not be executed, with a hint at most."""
    hooks = [*(root / ".githooks").iterdir()]
    assert {hook.name for hook in hooks} == {"pre-commit", "commit-msg"}
    assert all(os.access(hook, os.X_OK) for hook in hooks)
