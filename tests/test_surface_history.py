from __future__ import annotations

from pathlib import Path

import pytest

from scripts.surface.history import next_version
from tests.small_package import changed, check, committed, committed_empty, git, tree
from tests.small_package import release as release

pytestmark = pytest.mark.slow

PUBLIC = Path(__file__).parents[1] / "scripts/surface/public.toml"


def test_a_release_without_a_record_is_read(release: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The code of the tag says what there was, whatever record it has; git keeps nothing of it."""
    for record in (None, "what is this?\n"):
        git(release, "rm", "--quiet", "--cached", "tests/public_api.txt")
        if record:
            (release / "tests/public_api.txt").write_text(record)
            git(release, "add", "tests/public_api.txt")
        git(release, "commit", "--quiet", "--amend", "--message", "Otherwise")
        git(release, "tag", "--force", "v2.0.0")
        assert check(release, "--record") == 0
        changed(release, "def ask(", "def tell(")
        assert check(release, "--record") == 1
        assert "payman_sdk.PaymanClient.ask: is gone" in capsys.readouterr().err
        changed(release, "def tell(", "def ask(")
        git(release, "add", ".")
    assert git(release, "worktree", "list").count("\n") == 1


def test_a_module_that_is_listed_no_longer_is_gone(release: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was public is what the release listed, not what is listed now."""
    listed = release / "scripts/surface/public.toml"
    listed.parent.mkdir(parents=True)
    listed.write_text(PUBLIC.read_text())
    committed(release, "v2.0.1")
    listed.write_text(
        PUBLIC.read_text().replace('"payman_sdk.testing.plugin" =', '"payman_sdk.testing.other" =')
    )
    assert check(release, "--record") == 1
    assert "payman_sdk.testing.plugin.payman_sandbox: is gone" in capsys.readouterr().err


def test_the_newest_release_counts(release: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not a pre-release, not a tag of another kind, and not a release of another branch."""
    changed(release, "def ask(", "def tell(")
    (release / "CHANGELOG.md").write_text("## [Unreleased]: 10.1.0\n")
    assert check(release, "--record") == 0
    committed(release, "v10.0.0")
    for tag in ("v11.0.0rc1", "vacation", "v12"):
        committed_empty(release, tag)
    git(release, "checkout", "--quiet", "-b", "aside")
    committed_empty(release, "v11.0.0")
    git(release, "checkout", "--quiet", "-")
    capsys.readouterr()
    assert check(release) == 0
    assert capsys.readouterr() == ("", "scripts.surface: compared with v10.0.0.\n")  # which has `tell`
    changed(release, "def tell(", "def ask(")
    assert check(release, "--record") == 1
    assert "compared with v10.0.0" in capsys.readouterr().err


@pytest.mark.parametrize(("announced", "status"), [("1.0.9", 1), ("1.9.0", 1), ("2.0.0.dev0", 0)])
def test_without_a_release_the_last_commit_counts(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    announced: str,
    status: int,
) -> None:
    """In a repository without tags, also a shallow clone, HEAD's code is compared; the last version published is 1.0.8."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    origin = tree(tmp_path / "origin", announced)
    committed(origin)
    committed_empty(origin, "v0.1.0")
    committed_empty(origin, "last")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth", "1", "--no-tags", origin.as_uri(), str(shallow))
    changed(shallow, "def ask(", "def tell(")
    assert check(shallow, "--record") == status
    assert "payman_sdk.PaymanClient.ask: is gone" in "".join(capsys.readouterr())


def test_a_shallow_clone_is_not_enough_where_nobody_looks(
    release: Path,
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a hosted runner it would compare HEAD with itself, and pass: it is refused there, with what to do; elsewhere that is said."""
    changed(release, "def ask(", "def tell(")
    check(release, "--record")
    committed(release)
    shallow = tmp_path_factory.mktemp("clones") / "shallow"
    git(release, "clone", "--quiet", "--depth", "1", release.as_uri(), str(shallow))
    capsys.readouterr()
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert check(shallow) == 2
    said = capsys.readouterr().err
    assert "this clone is shallow" in said
    assert "git fetch --tags --unshallow" in said
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert check(shallow) == 0
    assert "compared with the last commit: this clone is shallow" in capsys.readouterr().err
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    git(shallow, *said.strip().partition("Get them: git ")[2].split())
    assert check(shallow) == 1
    assert "compared with v2.0.0.\n" in capsys.readouterr().err


def test_a_whole_clone_without_a_release_is_enough(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was released from it yet; the last commit counts, also in CI."""
    committed(tree(tmp_path))
    capsys.readouterr()
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert check(tmp_path) == 0
    assert capsys.readouterr().err == "scripts.surface: compared with the last commit.\n"


def test_without_git_the_record_is_checked_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tarball, in another project's repository or not, has no history: that is said, and the record is checked."""
    bare = tree(tmp_path / "outer" / "sdk")
    assert "no git repository" in capsys.readouterr().out
    (tmp_path / "outer" / "file").write_text("another project")
    committed(tmp_path / "outer")
    assert check(bare) == 0
    assert "no git repository" in capsys.readouterr().out
    git(bare, "init", "--quiet")
    assert check(bare) == 0
    assert "without a commit" in capsys.readouterr().out
    monkeypatch.setenv("PATH", str(tmp_path))
    assert check(bare) == 0
    assert "git is not installed" in capsys.readouterr().out
    changed(bare, "def ask(", "def tell(")
    assert check(bare) == 1


def test_a_hook_of_another_repository_does_not_confuse_it(
    release: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What git tells the programs it starts is about its own repository, and is not taken for this one's."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    changed(release, "def ask(", "def tell(")
    assert check(release, "--record") == 1


@pytest.mark.parametrize(
    ("changelog", "version"),
    [
        ("# Changelog\n\n## [Unreleased]: 2.0.0.dev0\n\n## [1.0.8]\n", (2, 0, 0)),
        ("## [Unreleased]\n\n## [1.0.8] - 2025-01-01\n", (1, 0, 8)),
        ("## [3.1.4] - 2026-01-01\n## [4.0.0]\n", (3, 1, 4)),
        ("Nothing yet", None),
    ],
)
def test_the_changelog_says_which_version_is_next(changelog: str, version: tuple[int, ...] | None) -> None:
    """It is that of the first heading that has one."""
    assert next_version(changelog) == version
