"""Files and folders of the SDK's stores, and what somebody else on the machine may have planted there."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from payman_sdk import FileTokenStore, PaymanError, StoredToken
from payman_sdk._io.key_store import SQLiteKeyStore
from payman_sdk._io.private_files import find_folder_problem, make_folder
from payman_sdk.agents import Operation
from payman_sdk.agents.stores.sqlite import SQLiteOperationStore
from payman_sdk.sandbox import Sandbox
from payman_sdk.token_stores.file import FileLock

pytestmark = pytest.mark.slow


TOKEN = StoredToken("pm-1 at https://agent.payman.dev", "access", 1.9e9, 3600.0)
OPERATION = Operation(task_id="tsk-1", account="pm-1 at https://agent.payman.dev")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")

Make = Callable[[Path], object]


def save_token(file: Path) -> None:
    store = FileTokenStore(file)
    assert store.lock.acquire(timeout=60)
    store.load()
    store.save(TOKEN)
    store.lock.release()


def save_operation(file: Path) -> None:
    store = SQLiteOperationStore(file)
    store.save(OPERATION)
    lock = store.lock("operation a")
    assert lock.acquire(timeout=60)
    lock.release()


def open_sandbox(file: Path) -> None:
    Sandbox(db=file).close()


def claim_key(file: Path) -> None:
    SQLiteKeyStore(file).claim("tsk-1", 1000.0, None)


STORES: dict[str, Make] = {
    "token": save_token,
    "operations": save_operation,
    "keys": claim_key,
    "sandbox": open_sandbox,
}


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def refusal_of(make: Make, path: Path) -> str | None:
    """Why a store does not use a path; None if it does."""
    try:
        make(path)
    except (PaymanError, ValueError, OSError, sqlite3.Error) as error:
        return str(error)
    return None


def failing(rows: dict[str, bool]) -> list[str]:
    return [name for name, is_right in rows.items() if not is_right]


def test_new_files_are_for_their_owner_whatever_the_umask(tmp_path: Path) -> None:
    """No umask lets others in, neither into files nor into the folders that are made for them."""
    wrong: list[str] = []
    for umask in (0o000, 0o002, 0o022, 0o077):
        before = os.umask(umask)
        try:
            for name, make in STORES.items():
                top = tmp_path / f"{name}-{umask:o}"
                folder = top / "a" / "b"
                if name == "sandbox":  # it makes no folders
                    make_folder(folder)
                make(folder / "file")
                wrong += [f"{name} {umask:o} {path}" for path in top.rglob("*") if mode_of(path) & 0o077]
        finally:
            os.umask(before)
    assert wrong == []


@pytest.mark.parametrize("name", ["operations", "keys", "sandbox"])
def test_databases_that_others_can_read_lose_their_rights(name: str, tmp_path: Path) -> None:
    """A database that exists is narrowed, together with what SQLite keeps beside it."""
    for mode in (0o644, 0o640, 0o604, 0o755, 0o444 | 0o200):
        file = tmp_path / f"{mode:o}.db"
        STORES[name](file)
        beside = [file.with_name(file.name + ending) for ending in ("-wal", "-shm", "-journal")]
        for each in (file, *beside):
            each.touch()
            each.chmod(mode)
        STORES[name](file)
        assert [
            oct(mode_of(each)) for each in (file, *beside) if each.exists() and mode_of(each) & 0o077
        ] == []


def test_what_sqlite_writes_beside_an_open_database_is_private(tmp_path: Path) -> None:
    """The files beside the database have its mode from the moment they exist."""
    before = os.umask(0)
    try:
        sandbox = Sandbox(db=tmp_path / "sandbox.db")
        assert {path.name: oct(mode_of(path)) for path in tmp_path.iterdir()} == dict.fromkeys(
            ("sandbox.db", "sandbox.db-wal", "sandbox.db-shm"), "0o600"
        )
        sandbox.close()
    finally:
        os.umask(before)


def test_a_database_that_others_could_write_is_not_believed(tmp_path: Path) -> None:
    """What others could write may say that nothing was paid: it is refused, and left as it is."""
    for name, mode in itertools.product(("operations", "keys"), (0o666, 0o660, 0o602, 0o620, 0o777)):
        file = tmp_path / f"{name}-{mode:o}.sqlite3"
        STORES[name](file)
        file.chmod(mode)
        said = refusal_of(STORES[name], file)
        assert said is not None, oct(mode)
        assert f"chmod 600 {file}" in said
        assert mode_of(file) == mode


def test_a_look_at_a_database_releases_no_lock_of_this_process(tmp_path: Path) -> None:
    """Opening a store while another thread writes does not let another process write at the same time."""
    file = tmp_path / "keys.sqlite3"
    claim_key(file)
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"), pytest.MonkeyPatch.context() as patch:
            patch.setattr("payman_sdk._io.key_store._LOCK_SECONDS", 0.01)
            claim_key(file)
        other = f"import sqlite3; sqlite3.connect({str(file)!r}, timeout=0).execute('BEGIN EXCLUSIVE')"
        done = subprocess.run([sys.executable, "-c", other], capture_output=True, text=True, check=False)
        assert "locked" in done.stderr


def test_a_store_stays_where_it_was_when_the_working_directory_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon or a task runner changes it between the making of a store and its use."""
    moved = tmp_path / "moved"
    moved.mkdir()
    monkeypatch.chdir(tmp_path)
    token, operations = FileTokenStore("token.json"), SQLiteOperationStore("operations.sqlite3")
    keys = SQLiteKeyStore("keys.sqlite3")
    monkeypatch.chdir(moved)
    assert token.lock.acquire(timeout=60)
    token.save(TOKEN)
    token.lock.release()
    operations.save(OPERATION)
    lock = operations.lock("operation a")
    assert lock.acquire(timeout=60)
    lock.release()
    keys.claim("tsk-1", 1000.0, None)
    assert list(moved.iterdir()) == []
    monkeypatch.chdir(tmp_path)
    assert FileTokenStore("token.json").load() == TOKEN
    assert SQLiteKeyStore("keys.sqlite3").load("tsk-1") == 1000.0


def _linked(path: Path, elsewhere: Path) -> None:
    path.symlink_to(elsewhere)


PLANTED: dict[str, Callable[[Path, Path], object]] = {
    "a link to a file": _linked,
    "a link to nothing": lambda path, elsewhere: path.symlink_to(elsewhere.parent / "nothing"),
    "a link to a folder": lambda path, elsewhere: path.symlink_to(elsewhere.parent),
    "a link to itself": lambda path, _: path.symlink_to(path),
    "a pipe": lambda path, _: os.mkfifo(path, 0o600),
    "a folder": lambda path, _: path.mkdir(),
}


def test_what_was_planted_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    """Links, pipes and folders in the place of a file, of what SQLite keeps beside it, or of a lock are not followed or used."""
    elsewhere = tmp_path / "elsewhere" / "precious"
    elsewhere.parent.mkdir(mode=0o700)
    elsewhere.write_text("precious")
    elsewhere.chmod(0o600)
    places = dict.fromkeys(STORES, "") | {
        "token lock": ".lock",
        "operations wal": "-wal",
        "keys journal": "-journal",
        "sandbox shm": "-shm",
    }
    rows: dict[str, bool] = {}
    for place, ending in places.items():
        for kind, plant in PLANTED.items():
            file = tmp_path / f"{place}-{kind}".replace(" ", "_") / "file"
            make_folder(file.parent)
            plant(file.with_name(f"file{ending}"), elsewhere)
            refused = refusal_of(STORES[place.split()[0]], file) is not None
            rows[f"{place}: {kind}"] = (
                refused and elsewhere.read_text() == "precious" and mode_of(elsewhere) == 0o600
            )
    assert failing(rows) == []


def test_a_planted_lock_is_not_followed(tmp_path: Path) -> None:
    """Taking a lock neither creates nor truncates what a link in its place leads to."""
    victim = tmp_path / "victim"
    for target in (victim, tmp_path / "missing"):
        lock = tmp_path / f"{target.name}.lock"
        lock.symlink_to(target)
        victim.write_text("content")
        assert refusal_of(lambda path: FileLock(path).acquire(timeout=0), lock)
        assert (victim.read_text(), (tmp_path / "missing").exists()) == ("content", False)


@needs_root
def test_files_of_another_user_are_refused(tmp_path: Path) -> None:
    """A file, a lock or a part of a database that another user owns is refused, whatever its mode."""
    rows: dict[str, bool] = {}
    for name, ending in (("token", ""), ("token", ".lock"), ("operations", ""), ("operations", "-wal"), ("keys", ""), ("keys", "-journal"), ("sandbox", ""), ("sandbox", "-wal")):  # fmt: skip
        for mode in (0o600, 0o666):
            file = tmp_path / f"{name}{ending}{mode:o}" / "file"
            make_folder(file.parent)
            theirs = file.with_name(f"file{ending}")
            if ending:
                STORES[name](file)
            theirs.touch()
            theirs.chmod(mode)
            os.chown(theirs, 12345, 12345)
            rows[f"{name}{ending} {mode:o}"] = refusal_of(STORES[name], file) is not None
    assert failing(rows) == []


def test_folders_are_checked_up_to_the_root(tmp_path: Path) -> None:
    """Wherever on the way somebody else can write, the file is refused, and the folder is named; the sticky bit protects it."""
    rows: dict[str, bool] = {}
    for name in ("token", "operations", "keys"):
        for height, mode, is_safe in (
            (0, 0o777, False),
            (0, 0o770, False),
            (0, 0o722, False),
            (0, 0o1777, True),
            (1, 0o777, False),
            (1, 0o757, False),
            (1, 0o1777, True),
            (1, 0o755, True),
            (2, 0o702, False),
            (2, 0o777, False),
        ):
            folders = [tmp_path / f"{name}-{height}-{mode:o}"]
            folders += [folders[0] / "middle", folders[0] / "middle" / "last"]
            make_folder(folders[-1])
            changed = folders[-1 - height]
            changed.chmod(mode)
            said = refusal_of(STORES[name], folders[-1] / "file")
            rows[f"{name} {height} {mode:o}"] = (said is None) if is_safe else str(changed) in (said or "")
    assert failing(rows) == []


def test_links_to_folders_are_followed_as_the_kernel_follows_them(tmp_path: Path) -> None:
    """A link leads to where it leads: what is unsafe on either side of it counts, also behind `..` and in relative paths."""
    safe, unsafe = tmp_path / "safe", tmp_path / "unsafe" / "inner"
    make_folder(safe / "inner")
    make_folder(unsafe)
    unsafe.parent.chmod(0o777)
    (tmp_path / "to-unsafe").symlink_to(unsafe)
    (tmp_path / "to-safe").symlink_to("safe/inner")
    (unsafe / "to-safe").symlink_to(safe)
    for path, is_safe in (
        (tmp_path / "to-safe", True),
        (tmp_path / "to-unsafe", False),
        (unsafe / "to-safe", False),
        (tmp_path / "to-unsafe" / ".." / "inner", False),
        (tmp_path / "to-safe" / ".." / "inner", True),
        (tmp_path / "to-safe" / "not-yet" / "there", True),
        (tmp_path / "to-unsafe" / "not-yet", False),
    ):
        assert (find_folder_problem(path) is None) is is_safe, path


@needs_root
def test_a_folder_is_checked_by_whichever_way_a_path_reaches_it(tmp_path: Path) -> None:
    """The folder of a file may be writable for its owner alone, also where the path goes through another and back."""
    folder = tmp_path / "folder"
    make_folder(folder / "inner")
    folder.chmod(0o770)  # which is safe for a folder above, as the group is its owner's alone
    (tmp_path / "link").symlink_to("folder/inner/..")
    for path in (folder, folder / "inner" / "..", tmp_path / "link"):
        problem = find_folder_problem(path)
        assert problem is not None and f"into the folder {folder} (" in problem.problem, path
    assert find_folder_problem(folder / "inner" / ".." / "inner") is None


@needs_root
def test_folders_of_another_user_are_refused_at_any_height(tmp_path: Path) -> None:
    """Whoever owns a folder, or a link to one, can replace what is below it, whatever its mode and that of those below."""
    for name in ("token", "operations", "keys"):
        for height in range(3):
            folders = [tmp_path / f"{name}-{height}"]
            folders += [folders[0] / "middle", folders[0] / "middle" / "last"]
            make_folder(folders[-1])
            os.chown(folders[-1 - height], 12345, -1)
            said = refusal_of(STORES[name], folders[-1] / "file")
            assert f"{folders[-1 - height]} belongs to another user" in (said or "")
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    os.lchown(link, 12345, 12345)
    assert find_folder_problem(link / "x") is not None


@needs_root
def test_a_group_of_others_counts_above_too(tmp_path: Path) -> None:
    """A folder that another group may write is refused; the group of this user alone does not count."""
    folder = tmp_path / "shared" / "mine"
    make_folder(folder)
    folder.parent.chmod(0o775)
    assert find_folder_problem(folder) is None
    os.chown(folder.parent, -1, 12345)
    assert find_folder_problem(folder) is not None


def test_a_saved_token_leaves_no_copy_of_a_writer_that_died(tmp_path: Path) -> None:
    """What a killed writer left is removed by the next, and nothing else is."""
    file = tmp_path / "token.json"
    left, other = tmp_path / f".token.json.{'0f' * 8}", tmp_path / ".token.json.notes"
    left.write_text("half a tok")
    other.write_text("")
    save_token(file)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".token.json.notes",
        "token.json",
        "token.json.lock",
    ]


def test_a_file_system_without_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that would not come free when its holder dies is none."""
    import errno
    import fcntl

    def missing(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", missing)
    said = refusal_of(lambda path: FileLock(path).acquire(timeout=0), tmp_path / "x.lock")
    assert said is not None
    assert "has no locks" in said


def test_filelock_is_one_that_follows_no_planted_links() -> None:
    """Before 3.20.3 a link in the place of a lock was followed (CVE-2025-68146, CVE-2026-22701)."""
    root = Path(__file__).parent.parent
    bounds = re.findall(r'"filelock>=([\d.]+)"', (root / "pyproject.toml").read_text("utf-8"))
    locked = re.findall(
        r"^filelock==([\d.]+)", (root / "requirements-dev.lock").read_text("utf-8"), re.MULTILINE
    )
    versions = [tuple(map(int, version.split("."))) for version in bounds + locked]
    assert len(bounds) >= 4
    assert len(locked) == 1
    assert min(versions) >= (3, 20, 3)
