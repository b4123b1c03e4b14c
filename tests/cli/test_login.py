from __future__ import annotations

import os
import re
import select
import stat
import threading
import webbrowser
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from payman_sdk import FileTokenStore, StoredToken
from payman_sdk._cli import login_store
from payman_sdk.sandbox import Sandbox
from tests.auth.test_loopback import browser
from tests.cli.command import Payman, run

TOKENS = "config/payman/tokens"


@pytest.fixture
def decides(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes the system's browser decide by itself."""

    def decide(decision: str) -> None:
        act = browser(decision)

        def opened(url: str) -> bool:
            act(url)
            return True

        monkeypatch.setattr(webbrowser, "open", opened)

    return decide


def test_a_login_is_used_until_logout(
    payman: Payman,
    sandbox: Sandbox,
    decides: Callable[[str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a login no setting is needed; after a logout nothing of it is left."""
    decides("allow")
    said = payman("login")
    assert said.status == 0
    assert "Logged in" in said.err
    monkeypatch.delenv("PAYMAN_BASE_URL")
    monkeypatch.delenv("PAYMAN_CLIENT_ID")
    assert payman("ask", "list all wallets").status == 0
    assert sandbox.token_requests[-1].grant_type == "authorization_code"
    token = payman("token", "--show").out.strip()
    about = payman("token")
    assert "person" in about.out
    assert token not in about.out + about.err
    for file in (tmp_path / TOKENS).iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert sandbox.client_secret not in file.read_text("utf-8")
    assert payman("logout").status == 0
    left = "".join(file.read_text("utf-8") for file in (tmp_path / TOKENS).iterdir())
    assert left == ""
    assert payman("ask", "list all wallets").status == 2
    assert "Nobody was logged in" in payman("logout").err


@pytest.mark.slow
def test_nothing_secret_is_in_the_arguments_of_a_process(
    payman: Payman, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The browser that the system starts gets a link of one use; the state, which every user could read there, stays out."""
    program, arguments = tmp_path / "browser", tmp_path / "arguments"
    os.mkfifo(arguments)
    program.write_text(f'#!/bin/sh\nprintf "%s " "$@" > {arguments}\n')
    program.chmod(0o700)
    with ThreadPoolExecutor(1) as thread:
        login = thread.submit(run, ["login", "--wait", "30"], BROWSER=f"{program} %s")
        pipe = os.open(arguments, os.O_RDWR)  # so that opening does not wait for the browser
        assert select.select([pipe], [], [], 30)[0]
        link = os.read(pipe, 4096).decode().strip()
        os.close(pipe)
        browser("allow")(link)
        said = login.result()
    assert said.status == 0, said.err
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/start/[\w-]{43}", link)
    assert "state=" not in said.err
    assert payman("ask", "list all wallets").status == 0


def test_a_login_is_renewed(payman: Payman, sandbox: Sandbox, decides: Callable[[str], None]) -> None:
    """When the access token ends, the next command gets another by the refresh token."""
    decides("allow")
    payman("login")
    sandbox.revoke_tokens()
    assert payman("ask", "list all wallets").status == 0
    assert sandbox.token_requests[-1].grant_type == "refresh_token"
    sandbox.revoke_tokens(refresh=True)
    said = payman("ask", "list all wallets")  # the server turned it away, which proves nothing
    assert said.status == 5
    assert "Do not send it again until you know" in said.err
    assert payman("wallets").status == 6


def test_a_refusal_is_status_6(payman: Payman, decides: Callable[[str], None], tmp_path: Path) -> None:
    """Who says no is not logged in."""
    decides("deny")
    assert payman("login").status == 6
    assert not list((tmp_path / TOKENS).glob("*.txt"))


def test_nobody_decides(payman: Payman, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting ends; that is a failure of authentication too."""
    monkeypatch.setattr(webbrowser, "open", lambda url: True)
    assert payman("login", "--wait", "0.05").status == 6


def test_without_a_browser_the_address_is_shown(payman: Payman, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--no-browser` prints the page's address, and so does a system that has none."""
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    for arguments in (["login", "--wait", "0.05"], ["login", "--no-browser", "--wait", "0.05"]):
        said = payman(*arguments)
        assert re.search(
            r"Open this page and decide there: http://127\.0\.0\.1:\d+/oauth/authorize\?", said.err
        )
        assert said.out == ""


def test_scopes_are_asked_for(payman: Payman, sandbox: Sandbox, decides: Callable[[str], None]) -> None:
    """`--scope` limits what the token may."""
    decides("allow")
    assert payman("login", "--scope", "read_balance", "--scope", "read_list_wallets").status == 0
    assert "read_balance" in payman("token").out
    assert "write_send_payment" not in payman("token").out


def test_the_keyring_keeps_it_too(
    payman: Payman,
    sandbox: Sandbox,
    decides: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """`--keep keyring` writes no token into a file, and takes away the one of an earlier login."""
    kept: dict[tuple[str, str], str] = {}
    import keyring

    monkeypatch.setattr(keyring, "get_password", lambda service, name: kept.get((service, name)))
    monkeypatch.setattr(
        keyring, "set_password", lambda service, name, text: kept.update({(service, name): text})
    )
    decides("allow")
    payman("login")
    said = payman("login", "--keep", "keyring")
    assert "keyring" in said.err
    assert not (tmp_path / TOKENS / "payman-cli.json").exists()
    assert payman("ask", "list all wallets").status == 0
    (text,) = kept.values()
    assert sandbox.client_id in text
    assert payman("logout").status == 0
    (text,) = kept.values()
    assert "null" in text
    assert sandbox.client_id not in text


@pytest.mark.slow
def test_a_damaged_login_can_be_left(payman: Payman, decides: Callable[[str], None], tmp_path: Path) -> None:
    """What is damaged is named, and logout removes it."""
    decides("allow")
    payman("login")
    (file,) = (tmp_path / TOKENS).glob("*.txt")
    file.write_text("{", "utf-8")
    said = payman("ask", "list all wallets")
    assert said.status == 6
    assert "payman logout" in said.err
    assert payman("logout").status == 0
    assert payman("ask", "list all wallets").status == 0


def test_a_login_needs_a_server_that_stays(payman: Payman) -> None:
    """A login to `--sandbox` would be useless; other nonsense is refused as well."""
    assert payman("login", "--sandbox").status == 2
    assert payman("login", "--keep", "pocket").status == 2


def test_a_login_needs_an_application() -> None:
    """Without a client id there is nothing to log in to."""
    said = Payman()("login")
    assert said.status == 2
    assert "--client-id" in said.err


def test_the_token_is_shown_only_when_asked_for(payman: Payman, sandbox: Sandbox) -> None:
    """`token` tells about it; `--show` prints it, alone on standard output."""
    about = payman("token")
    shown = payman("token", "--show")
    token = shown.out.strip()
    assert about.status == shown.status == 0
    assert "Expires:" in about.out
    assert "read_balance" in about.out
    assert token
    assert "\n" not in token
    assert token not in about.out + about.err + shown.err


def test_a_token_that_cannot_be_renewed_is_said_so(payman: Payman, sandbox: Sandbox) -> None:
    """`token` names what to do, and prints nothing on standard output."""
    owner = f"{sandbox.client_id} for a person at {sandbox.base_url}"
    expired = StoredToken(owner, "tok-abcdefghijkl1", expires_at=1.0, lifetime=3600, scope="read_balance")
    login_store.open_store("file").save(expired)
    login_store.save_login(login_store.Login(client_id=sandbox.client_id, base_url=sandbox.base_url))
    for flags in ((), ("--show",)):
        said = payman("token", *flags)
        assert (said.status, said.out) == (6, ""), flags
        assert said.err == "payman: The token has expired and cannot be renewed. Run payman login again.\n"


def test_two_logins_at_once_leave_one(payman: Payman, sandbox: Sandbox) -> None:
    """Forgetting waits for whoever renews the token."""
    store = login_store.open_store("file")
    assert store.lock.acquire(timeout=60)
    thread = threading.Thread(target=login_store.delete_token, args=("file",))
    thread.start()
    store.lock.release()
    thread.join(timeout=60)
    assert not thread.is_alive()


def test_a_token_that_was_not_kept_is_not_login(
    payman: Payman,
    sandbox: Sandbox,
    decides: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Where the token cannot be kept, the command says so and remembers no login."""

    def full(store: FileTokenStore, token: StoredToken) -> None:
        raise OSError(28, "No space left on device")

    decides("allow")
    monkeypatch.setattr(FileTokenStore, "save", full)
    said = payman("login")
    assert said.status == 6
    assert "could not be stored" in said.err
    assert "Logged in" not in said.err
    assert not list((tmp_path / TOKENS).glob("*.txt"))


def test_a_login_that_somebody_else_could_write_is_refused(
    payman: Payman, decides: Callable[[str], None], tmp_path: Path
) -> None:
    """The file names the server that gets the token: others may neither write it, nor put a link in its place, nor own its folder."""
    decides("allow")
    payman("login")
    (file,) = (tmp_path / TOKENS).glob("*.txt")
    text, wrong = file.read_text("utf-8"), []

    def as_link() -> None:
        other = tmp_path / "other"
        other.write_text(text, "utf-8")
        file.unlink()
        file.symlink_to(other)

    spoiled: dict[str, Callable[[], None]] = {
        "0666": lambda: file.chmod(0o666),
        "0620": lambda: file.chmod(0o620),
        "0602": lambda: file.chmod(0o602),
        "a link": as_link,
        "a folder for all": lambda: file.parent.chmod(0o777),
        "a folder above for all": lambda: file.parent.parent.chmod(0o777),
    }
    for name, spoil in spoiled.items():
        file.unlink()
        file.write_text(text, "utf-8")
        file.chmod(0o600)
        spoil()
        said = payman("ask", "list all wallets")
        if said.status != 6:
            wrong.append(f"{name}: {said}")
        file.parent.chmod(0o700)
        file.parent.parent.chmod(0o700)
    assert wrong == []
    assert payman("logout").status == 0
