from __future__ import annotations

import builtins
import math
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from payman_sdk import AsyncPaymanClient, MemoryTokenStore, PaymanClient
from payman_sdk._config import Config, read_config, read_seconds
from payman_sdk._io.key_store import MemoryKeyStore
from payman_sdk._secrets import SecretStr
from payman_sdk._url import is_loopback
from payman_sdk.errors import ConfigurationError
from payman_sdk.sandbox import Sandbox
from tests.tables import table

CREDENTIALS: dict[str, Any] = {"client_id": "pm-test-1", "client_secret": "s3cret"}


@pytest.fixture(autouse=True)
def _short_pauses() -> None:
    """Settings are as long here as they are."""


def config(**settings: Any) -> Config:
    return read_config(None, CREDENTIALS | settings)


def refused(given: Any = None, **keywords: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read_config(given, keywords)
    assert caught.value.next_step, "a refusal says what to do"
    return str(caught.value)


def test_a_dict_and_keywords_say_the_same() -> None:
    """The settings may come as a dict or as keywords."""
    assert read_config(CREDENTIALS, {}) == read_config(None, CREDENTIALS)


def test_a_keyword_wins_over_the_dict() -> None:
    """Where both name a setting, the keyword counts, unless it is None."""
    both = read_config(
        CREDENTIALS | {"name": "dict", "environment": "TEST"}, {"name": "keyword", "environment": None}
    )
    assert (both.name, both.base_url) == ("keyword", "https://agent.payman.dev")


def test_the_defaults() -> None:
    """Without more than credentials, a client talks to the live server with the documented timeouts."""
    assert config() == Config(
        client_id="pm-test-1",
        client_secret=SecretStr("s3cret"),
        base_url="https://agent.payman.ai",
        name=None,
        session_id=None,
        connect_timeout=5.0,
        read_timeout=60.0,
        timeout=300.0,
        idle_timeout=60.0,
        max_retries=2,
        settle_time=30.0,
        resend="after_settling",
        on_retry=None,
        before_send=None,
    )


def test_settle_time_and_resend_are_checked() -> None:
    """Zero seconds are allowed; what is neither a duration nor a known policy is refused by name."""
    checked = config(settle_time=0, resend="never")
    assert (checked.settle_time, checked.resend) == (0.0, "never")
    for name, value in (
        ("settle_time", -1),
        ("settle_time", True),
        ("settle_time", False),
        ("settle_time", "30"),
        ("settle_time", float("nan")),
        ("resend", "always"),
        ("resend", True),
        ("resend", 0),
    ):
        with pytest.raises(ConfigurationError, match=f"{name} is "):
            config(**{name: value})


def test_none_means_not_given() -> None:
    """Every setting may be None, as `os.getenv` gives it."""
    nothing = dict.fromkeys(
        ["environment", "base_url", "name", "session_id", "connect_timeout", "read_timeout", "timeout"]
    )
    assert config(**nothing) == config()
    assert read_config(CREDENTIALS | nothing, nothing) == config()


@table("missing", ["client_id", "client_secret"])
@table("value", [None, "", " \t"])
def test_a_missing_or_blank_credential_is_named(missing: str, value: str | None) -> None:
    """A credential that is None, absent or blank is refused by name, with the variable that would hold it."""
    with pytest.raises(ConfigurationError, match=rf"{missing} is missing.*PAYMAN_{missing.upper()}"):
        PaymanClient.with_credentials(cast("Any", CREDENTIALS | {missing: value}))
    with pytest.raises(ConfigurationError, match=f"{missing} is missing"):
        PaymanClient(**{key: given for key, given in CREDENTIALS.items() if key != missing})


@pytest.mark.parametrize("name", ["base_url", "environment"])
@pytest.mark.parametrize("value", ["", " ", "\t\n"])
def test_a_blank_server_is_not_the_one_for_real_money(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is given and empty is refused, however it is given; it may be a variable that was meant to be set."""
    monkeypatch.setenv("PAYMAN_CLIENT_ID", "pm-test-1")
    monkeypatch.setenv("PAYMAN_CLIENT_SECRET", "secret-1")
    given: Any = {name: value}
    for make in (PaymanClient.from_env, AsyncPaymanClient.from_env):
        with pytest.raises(ConfigurationError, match=f"^{name} is "):
            make(**given)
    for kind in (PaymanClient, AsyncPaymanClient):
        with pytest.raises(ConfigurationError, match=f"^{name} is "):
            kind({**given, "client_id": "pm-test-1", "client_secret": "secret-1"})


def test_white_space_around_a_setting_is_dropped() -> None:
    """A line break at the end of a pasted secret does no harm."""
    read = config(client_secret=" s3cret\n", session_id=" ses-1 ", name="  ")
    assert (read.client_secret, read.session_id, read.name) == ("s3cret", "ses-1", None)


@table("value", [5, b"bytes", ["list"], True])
@table("name", ["client_id", "client_secret", "environment", "base_url", "name", "session_id"])
def test_a_setting_of_the_wrong_type_is_named(name: str, value: object) -> None:
    """What has to be text and is not is refused with its name and its type, and without its value."""
    said = refused(**CREDENTIALS | {name: value})
    assert re.match(rf"{name} is an? {type(value).__name__}\.", said)


def test_a_constructor_names_what_it_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error shows the value unless it is a secret, for every constructor, and without importing httpx."""
    monkeypatch.setitem(sys.modules, "httpx", None)
    unusable: dict[str, tuple[object, str]] = {
        "timeout": ("60", "is '60'"),
        "read_timeout": ("1m", "is '1m'"),
        "max_retries": ("2", "is '2'"),
        "max_event_bytes": ("16 MiB", "is '16 MiB'"),
        "resend": ("always", "is 'always'"),
        "verify": (False, "is False"),
        "key_store": ("hunter2", "is a str, which cannot record keys"),
        "on_retry": ("hunter2", "is a str"),
        "token_store": (MemoryTokenStore, "is the class MemoryTokenStore"),
        "default_headers": (5, "is an int"),
        "proxy": ("ftp://hunter2@x", "names a proxy of a kind that is not supported"),
    }
    more = [
        ("verify", 5, "is 5"),
        ("verify", 0, "is 0"),
        ("verify", 1, "is 1"),
        ("verify", object(), "is <object"),
    ]
    more += [
        ("key_store", MemoryKeyStore, "is the class MemoryKeyStore"),
        ("proxy", "http://hunter2:99999", "is not an address"),
        ("proxy", "http://", "is not an address with a host"),
    ]
    token: Any = {"accessToken": "a", "expiresIn": 60}
    for name, value, said in [*((name, *row) for name, row in unusable.items()), *more]:
        given: Any = {name: value}
        for make in (
            lambda given=given: PaymanClient(**CREDENTIALS, **given),
            lambda given=given: PaymanClient(CREDENTIALS, **given),
            lambda given=given: AsyncPaymanClient.with_token("pm-test-1", token, **given),
            lambda given=given: AsyncPaymanClient.from_env(**CREDENTIALS, **given),
        ):
            with pytest.raises(ConfigurationError) as caught:
                make()
            assert str(caught.value).startswith(f"{name} {said}"), str(caught.value)
            assert "hunter2" not in str(caught.value) and caught.value.next_step


def test_a_secret_with_a_line_break_inside_is_refused_and_not_repeated() -> None:
    """A control character inside a credential is an error of copying, and its message does not hold the credential."""
    said = refused(**CREDENTIALS | {"client_secret": "s3c\nret"})
    assert "client_secret contains a control character" in said
    assert "s3c" not in said


def test_a_client_id_with_a_colon_is_refused() -> None:
    """HTTP Basic ends the id at the first colon, so an id with one would be cut."""
    assert "client_id contains a colon" in refused(**CREDENTIALS | {"client_id": "id:s3cret"})


@pytest.mark.parametrize(("wrong", "near"), [("client_secert", "client_secret"), ("sessionId", "session_id")])
def test_an_unknown_setting_is_answered_with_the_nearest(wrong: str, near: str) -> None:
    """A misspelt setting is refused with the one that was meant, in the dict and as a keyword."""
    assert f"Did you mean {near!r}?" in refused({wrong: "x"})
    assert f"Did you mean {near!r}?" in refused(**{wrong: "x"})


def test_an_unknown_setting_like_none_is_answered_with_all() -> None:
    """A setting that resembles none is refused with the list of those there are."""
    said = refused({"zzz": 1})
    assert "'zzz'" in said
    assert "base_url, before_send, client_id, client_secret" in said


@pytest.mark.parametrize("given", ["pm-test-1", 5, [("client_id", "x")]])
def test_a_config_that_is_not_a_dict_is_refused(given: object) -> None:
    """Credentials passed in place of the config get an error that says so."""
    assert re.match(rf"config is an? {type(given).__name__}\.", refused(given))


@pytest.mark.parametrize(
    ("environment", "base_url"),
    [
        ("LIVE", "https://agent.payman.ai"),
        ("TEST", "https://agent.payman.dev"),
        ("INTERNAL", "https://payman.ngrok.dev"),
        ("test", "https://agent.payman.dev"),
    ],
)
def test_each_environment_has_its_server(environment: str, base_url: str) -> None:
    """LIVE, TEST and INTERNAL name a server each, in either case."""
    assert config(environment=environment).base_url == base_url


def test_an_unknown_environment_is_refused_with_those_there_are() -> None:
    """The error for an environment that Payman does not have lists those it has."""
    assert "Use one of LIVE, TEST, INTERNAL" in refused(**CREDENTIALS | {"environment": "STAGING"})


@table(
    ("given", "read"),
    [
        ("https://payman.example", "https://payman.example"),
        ("https://payman.example/", "https://payman.example"),
        ("https://payman.example:8443//", "https://payman.example:8443"),
        ("https://payman.example/some/prefix/", "https://payman.example/some/prefix"),
        ("HTTPS://Payman.Example", "https://payman.example"),
        ("https://payman.example.:0443/A/", "https://payman.example/A"),
        ("https://payman.example:", "https://payman.example"),
        ("https://payman.example:80", "https://payman.example:80"),
        ("http://localhost:443", "http://localhost:443"),
        ("https://B\u00fccher\uff0eexample", "https://xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://[0:0::0:FF]:443", "https://[::ff]"),
        (" https://payman.example ", "https://payman.example"),
        ("http://localhost:8642", "http://localhost:8642"),
        ("http://LOCALHOST:8642", "http://localhost:8642"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://127.9.9.9:80/", "http://127.9.9.9"),
        ("http://[::1]:8642/", "http://[::1]:8642"),
    ],
)
def test_base_urls_that_are_taken(given: str, read: str) -> None:
    """Over https anywhere, over http on this machine, with or without a path prefix; one server has one spelling."""
    assert config(base_url=given).base_url == read
    assert config(base_url=read).base_url == read


SECRET_IN_URL = "hunter2"


@table(
    ("given", "problem"),
    [
        ("http://payman.example", "plain http"),
        ("http://localhost.payman.example", "plain http"),
        ("http://notlocalhost", "plain http"),
        ("http://10.0.0.1:8642", "plain http"),
        ("http://[fe80::1]", "plain http"),
        (f"https://me:{SECRET_IN_URL}@payman.example", "user name or password"),
        (f"https://{SECRET_IN_URL}@payman.example", "user name or password"),
        (f"http://me:{SECRET_IN_URL}@payman.example", "user name or password"),
        (f"https://payman.example?secret={SECRET_IN_URL}", "query or a fragment"),
        (f"http://payman.example/?secret={SECRET_IN_URL}", "query or a fragment"),
        (f"https://payman.example/#{SECRET_IN_URL}", "query or a fragment"),
        (f"https://me:{SECRET_IN_URL}", "not a URL"),
        (f"https://me:{SECRET_IN_URL}\u2100@payman.example", "not a URL"),
        ("https://payman.example:99999", "not a URL"),
        ("https://payman.example:0", "port 0"),
        ("http://localhost:0", "port 0"),
        ("https://[::1", "not a URL"),
        ("https://a..b", "not a URL"),
        (f"https://{'a' * 64}.example", "not a URL"),
        ("payman.example", "not an https address"),
        ("//payman.example", "not an https address"),
        ("https://", "not an https address"),
        ("https:///path", "not an https address"),
        ("https://pay man.example", "not an https address"),
        ("ftp://payman.example", "not an https address"),
        ("file:///etc/passwd", "not an https address"),
        ("junk", "not an https address"),
    ],
)
def test_base_urls_that_are_refused(given: str, problem: str) -> None:
    """Anything else is refused with the reason, and what may be a secret in it is not repeated."""
    with pytest.raises(ConfigurationError, match=f"^base_url .*{problem}") as caught:
        config(base_url=given)
    assert SECRET_IN_URL not in str(caught.value)
    assert caught.value.__context__ is None


def test_odd_base_urls_are_refused() -> None:
    """An address that programs read in different ways, or that would swallow the path of a request, is no address."""
    taken = []
    for given in (
        "https://payman.example#",
        "https://payman.example/#",
        "https://payman.example?",
        "https://payman.example/?#",
        "https://payman.example/a#b",
        "https://payman.example#@evil.example",
        "https://@payman.example",
        "https://:@payman.example",
        "https://:x@payman.example",
        "https://payman.example@evil.example",
        "https://payman.example\\@evil.example",
        "https://payman.example\\.evil.example",
        "https://evil.example\\",
        "https://payman.example%2eevil.example",
        "https://payman%00.example",
        "https://payman.example;evil",
        "https://payman,example",
        "https://pay man.example",
        "https://payman.example/a b",
        "https://payman.example/\u200b",
        "https://payman.example/\u202e",
        "https://pay\tman.example",
        "https://payman.example\r\nHost: evil.example",
        "https:\\\\payman.example",
        "https:/payman.example",
        "https:payman.example",
        "https://[::1%25eth0",
        "https://[v1.x]",
        "https://[payman.example]",
        "http://127.0.0.1@evil.example",
        "http://127.0.0.1#@evil.example",
    ):
        for as_variable in (False, True):
            try:
                if as_variable:
                    with pytest.MonkeyPatch.context() as patch:
                        patch.setenv("PAYMAN_BASE_URL", given)
                        config()
                else:
                    config(base_url=given)
            except ConfigurationError:
                continue
            taken.append((given, as_variable))
    assert taken == []


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("127.0.0.1", True), ("::1", True), ("payman.ai", False), ("0.0.0.0", False)],  # noqa: S104
)
def test_loopback_is_reported_by_name(host: str, loopback: bool) -> None:
    """Only this machine's own names and addresses are loopback."""
    assert is_loopback(host) is loopback


@table("name", ["connect_timeout", "read_timeout", "timeout"])
@table("value", [0, -1, -0.5, math.nan, math.inf, True, "5", pytest.param(10**400, id="huge"), 1e10, [5]])
def test_a_timeout_that_is_no_time_is_refused(name: str, value: object) -> None:
    """A timeout is a number of seconds above zero that a socket can count; anything else is refused by name."""
    assert refused(**CREDENTIALS | {name: value}).startswith(f"{name} is ")


@pytest.mark.parametrize("value", [1, 0.25, 86400])
def test_a_timeout_may_be_whole_or_not(value: float) -> None:
    """Whole and broken seconds are both taken, and None gives the default."""
    assert (read_seconds(value, "timeout", 7.0), read_seconds(None, "timeout", 7.0)) == (float(value), 7.0)


def test_the_variable_names_the_server_where_the_settings_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """PAYMAN_BASE_URL stands in for the environment's server, and a base_url of the settings wins over it."""
    monkeypatch.setenv("PAYMAN_BASE_URL", " http://localhost:1/ ")
    assert config(environment="TEST").base_url == "http://localhost:1"
    assert config(base_url="http://localhost:2").base_url == "http://localhost:2"
    monkeypatch.setenv("PAYMAN_BASE_URL", " ")
    assert config().base_url == "https://agent.payman.ai"


def test_no_way_to_make_a_client_takes_test_for_live(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """PAYMAN_ENVIRONMENT names the server for each of them, unless the settings or PAYMAN_BASE_URL do."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("PAYMAN_BASE_URL=http://localhost:3\n")
    ways: list[Callable[..., PaymanClient | AsyncPaymanClient]] = []
    token: Any = {"accessToken": "a", "expiresIn": 60}
    for kind in (PaymanClient, AsyncPaymanClient):
        ways += [
            lambda kind=kind, **given: kind(CREDENTIALS, **given),
            lambda kind=kind, **given: kind.with_credentials(CREDENTIALS, **given),
            lambda kind=kind, **given: kind.with_token(CREDENTIALS, token, **given),
            lambda kind=kind, **given: kind.from_env(**CREDENTIALS, **given),
            lambda kind=kind, **given: kind.from_env(dotenv=True, **CREDENTIALS, **given),
            lambda kind=kind, **given: kind(CREDENTIALS, **given).with_options(timeout=5),
        ]
    monkeypatch.setenv("PAYMAN_ENVIRONMENT", " test ")
    for make in ways:
        assert make()._config.base_url == "https://agent.payman.dev"
        assert make(environment="LIVE")._config.base_url == "https://agent.payman.ai"
        assert make(base_url="http://localhost:1")._config.base_url == "http://localhost:1"
    monkeypatch.setenv("PAYMAN_BASE_URL", "http://localhost:2")
    assert [make()._config.base_url for make in ways] == ["http://localhost:2"] * len(ways)


def test_a_wrong_variable_is_refused_as_a_setting_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules of base_url and environment hold for the variables as well."""
    monkeypatch.setenv("PAYMAN_ENVIRONMENT", "STAGING")
    assert "PAYMAN_ENVIRONMENT in the environment is 'STAGING'" in refused(**CREDENTIALS)
    monkeypatch.setenv("PAYMAN_BASE_URL", "http://payman.example")
    assert "plain http" in refused(**CREDENTIALS)


def test_the_repr_of_a_config_holds_no_secret() -> None:
    """Printing the settings shows the id and not the secret."""
    assert "pm-test-1" in repr(config())
    assert "s3cret" not in repr(config())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a program, two folders below the one that is returned."""
    inner = tmp_path / "project" / "scripts"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    return tmp_path / "project"


@table(
    ("name", "value", "problem"),
    [
        ("PAYMAN_CLIENT_ID", "a:b", "contains a colon"),
        ("PAYMAN_CLIENT_ID", "a\x7fb", "contains a control character"),
        ("PAYMAN_CLIENT_SECRET", "a\x7fb", "contains a control character"),
        ("PAYMAN_ENVIRONMENT", "STAGING", "is 'STAGING', which Payman does not have"),
        ("PAYMAN_BASE_URL", "ftp://payman.example", "is not an https address"),
        ("PAYMAN_BASE_URL", "http://payman.example", "would send secrets over plain http"),
        ("PAYMAN_ALLOW_HTTP_HOSTS", "*", "holds '*'"),
    ],
)
def test_a_wrong_variable_is_named_with_its_place(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, problem: str
) -> None:
    """Whoever reads the error finds the variable, in the environment or in the file, and not an option that nobody gave."""
    given = {"PAYMAN_CLIENT_ID": "from-variable", "PAYMAN_CLIENT_SECRET": "s3cret", name: value}
    (folder / ".env").write_text("".join(f"{key}={text}\n" for key, text in given.items()))
    with monkeypatch.context() as patch:
        for key, text in given.items():
            patch.setenv(key, text)
        with pytest.raises(ConfigurationError) as caught:
            PaymanClient.from_env()
        assert str(caught.value).startswith(f"{name} in the environment {problem}")
        if name not in {"PAYMAN_CLIENT_ID", "PAYMAN_CLIENT_SECRET"}:
            assert refused(**CREDENTIALS).startswith(f"{name} in the environment {problem}")
        else:  # what a program gives is named as it gave it
            assert repr(PaymanClient(**CREDENTIALS))
    if name == "PAYMAN_ALLOW_HTTP_HOSTS":  # which counts for a server of the file alone
        return
    monkeypatch.chdir(folder)
    with pytest.raises(ConfigurationError) as caught:
        PaymanClient.from_env(dotenv=True)
    assert str(caught.value).startswith(f"{name} in {folder / '.env'} {problem}")


def test_a_setting_that_wins_over_a_variable_is_named_itself(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PAYMAN_CLIENT_ID", "PAYMAN_CLIENT_SECRET", "PAYMAN_ENVIRONMENT"):
        monkeypatch.setenv(name, "TEST")
    monkeypatch.setenv("PAYMAN_BASE_URL", "http://localhost:3")
    for setting, value in (
        ("client_id", "a:b"),
        ("environment", "STAGING"),
        ("base_url", "ftp://payman.example"),
    ):
        given: dict[str, Any] = {"base_url": "http://localhost:4", setting: value}
        with pytest.raises(ConfigurationError) as caught:
            PaymanClient.from_env(**given)
        assert str(caught.value).startswith(f"{setting} ")


def test_from_env_reads_four_variables(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Id, secret, environment and base URL come from the variables."""
    monkeypatch.setenv("PAYMAN_CLIENT_ID", "from-variable")
    monkeypatch.setenv("PAYMAN_CLIENT_SECRET", "s3cret")
    monkeypatch.setenv("PAYMAN_ENVIRONMENT", "TEST")
    assert repr(PaymanClient.from_env()) == "<PaymanClient from-variable at https://agent.payman.dev>"
    monkeypatch.setenv("PAYMAN_BASE_URL", "http://localhost:3")
    assert repr(PaymanClient.from_env()) == "<PaymanClient from-variable at http://localhost:3>"


def test_from_env_lets_settings_win(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is passed wins over the variable, and None passes nothing."""
    monkeypatch.setenv("PAYMAN_CLIENT_ID", "from-variable")
    monkeypatch.setenv("PAYMAN_CLIENT_SECRET", "s3cret")
    client = PaymanClient.from_env(client_id="passed", client_secret=None, name="n")
    assert repr(client) == "<PaymanClient 'n' passed at https://agent.payman.ai>"


@pytest.mark.parametrize(
    ("present", "named"),
    [
        ([], "PAYMAN_CLIENT_ID and PAYMAN_CLIENT_SECRET are not set in the environment."),
        (["PAYMAN_CLIENT_ID"], "PAYMAN_CLIENT_SECRET is not set in the environment."),
        (["PAYMAN_CLIENT_SECRET"], "PAYMAN_CLIENT_ID is not set in the environment."),
    ],
)
def test_from_env_names_the_missing_variables(
    folder: Path, monkeypatch: pytest.MonkeyPatch, present: list[str], named: str
) -> None:
    """A variable that is not set, and only that, is named."""
    for name in present:
        monkeypatch.setenv(name, "x")
    with pytest.raises(ConfigurationError) as caught:
        PaymanClient.from_env()
    assert str(caught.value).startswith(named)


def test_from_env_reads_a_file_only_if_it_is_asked_to(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`dotenv=True` fills in what the variables leave out from `.env` of the working directory; os.environ stays as it is."""
    lines = "PAYMAN_CLIENT_ID=from-file\nPAYMAN_CLIENT_SECRET='s3cret'\n"
    (folder / ".env").write_text(f"{lines}PAYMAN_BASE_URL=http://localhost:4\n")
    with pytest.raises(
        ConfigurationError, match=r"the environment, and the working directory has no file \.env\. Set them"
    ):
        PaymanClient.from_env(dotenv=True)  # the folder above is not searched
    monkeypatch.chdir(folder)
    with pytest.raises(
        ConfigurationError, match=r"There is a file \.env .* from_env\(dotenv=True\) reads it"
    ):
        PaymanClient.from_env()
    assert repr(PaymanClient.from_env(dotenv=True)) == "<PaymanClient from-file at http://localhost:4>"
    assert "PAYMAN_CLIENT_ID" not in os.environ
    (folder / ".env").write_text(lines)
    monkeypatch.setenv("PAYMAN_CLIENT_ID", "from-variable")
    assert "from-variable" in repr(PaymanClient.from_env(dotenv=True))


def test_from_env_says_which_file_it_looked_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a `.env` was read and does not hold the variable either, the error says so."""
    monkeypatch.chdir(folder)
    (folder / ".env").write_text("PAYMAN_CLIENT_ID=from-file\n")
    with pytest.raises(ConfigurationError) as caught:
        PaymanClient.from_env(dotenv=True)
    assert f"PAYMAN_CLIENT_SECRET is not set in the environment or {folder / '.env'}." in str(caught.value)


def test_from_env_hints_at_a_file_that_needs_dotenv(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without python-dotenv a `.env` cannot be read, and the error says what to install."""
    monkeypatch.chdir(folder)
    (folder / ".env").write_text("PAYMAN_CLIENT_ID=x\nPAYMAN_CLIENT_SECRET=y\n")
    real_import = builtins.__import__

    def without_dotenv(name: str, *rest: Any, **keywords: Any) -> Any:
        if name == "dotenv":
            raise ModuleNotFoundError(name)
        return real_import(name, *rest, **keywords)

    monkeypatch.setattr(builtins, "__import__", without_dotenv)
    with pytest.raises(ConfigurationError, match=r"pip install 'paymanai-sdk\[dotenv\]'") as caught:
        PaymanClient.from_env(dotenv=True)
    assert str(folder / ".env") in str(caught.value)


def test_from_env_says_that_the_file_cannot_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `.env` that is no text is named with the reason."""
    monkeypatch.chdir(folder)
    (folder / ".env").write_bytes(b"PAYMAN_CLIENT_ID=\xff\xfe\n")
    with pytest.raises(ConfigurationError, match="could not be read") as caught:
        PaymanClient.from_env(dotenv=True)
    assert "are not set in the environment. There is " in str(caught.value)
    assert str(folder / ".env") in str(caught.value)


def test_an_unreadable_file_is_no_matter_where_it_is_not_needed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables that are all set make the `.env` unimportant."""
    monkeypatch.chdir(folder)
    (folder / ".env").write_bytes(b"\xff")
    monkeypatch.setenv("PAYMAN_CLIENT_ID", "from-variable")
    monkeypatch.setenv("PAYMAN_CLIENT_SECRET", "s3cret")
    assert "from-variable" in repr(PaymanClient.from_env(dotenv=True))


def test_from_env_does_without_a_working_directory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables are enough for a program whose working directory was deleted."""
    monkeypatch.setenv("PAYMAN_CLIENT_ID", "from-variable")
    monkeypatch.setenv("PAYMAN_CLIENT_SECRET", "s3cret")
    (folder / "scripts").rmdir()
    assert "from-variable" in repr(PaymanClient.from_env(dotenv=True))


def test_from_env_refuses_unknown_settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt keyword of from_env is refused by Python itself, as everywhere."""
    monkeypatch.setenv("PAYMAN_CLIENT_ID", "x")
    monkeypatch.setenv("PAYMAN_CLIENT_SECRET", "y")
    misspelt: dict[str, Any] = {"enviroment": "TEST"}
    with pytest.raises(TypeError, match="'enviroment'"):
        PaymanClient.from_env(**misspelt)


def test_a_server_of_the_file_gets_no_secret_of_the_program(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By whichever way a secret comes along: the client's headers, those of a call, of a copy, or of an `http_client`."""
    monkeypatch.chdir(folder)
    server = "PAYMAN_BASE_URL=http://localhost:4\n"
    credentials = "PAYMAN_CLIENT_ID=from-file\nPAYMAN_CLIENT_SECRET='s3cret'\n"
    (folder / ".env").write_text(credentials + server)
    harmless, secret = {"X-Team": "payments"}, {"X-Gateway-Key": "hunter2-hunter2"}

    def make(**given: Any) -> PaymanClient:
        return PaymanClient.from_env(dotenv=True, **given)

    def make_all(make: Callable[..., PaymanClient]) -> list[Callable[[], object]]:
        client = make(default_headers=harmless)
        calls = client, client.conversation(), client.with_options(timeout=5)
        return [
            lambda: make(default_headers=secret),
            lambda: client.with_options(default_headers={"X-Session": "hunter2-hunter2"}),
            *(lambda one=one: one._resolve({"extra_headers": secret}, "ask") for one in calls),
            lambda: client._resolve({"options": {"extra_headers": secret}, "extra_headers": None}, "ask"),
            *(
                lambda added=added: make(http_client=httpx.Client(**added))
                for added in (
                    {"headers": secret},
                    {"headers": {"Authorization": "Basic aHVudGVyMg=="}},
                    {"auth": ("me", "hunter2")},
                    {"cookies": {"id": "hunter2"}},
                    {"params": {"code": "hunter2"}},
                )
            ),
        ]

    for act in make_all(make):
        with pytest.raises(
            ConfigurationError, match=r"from PAYMAN_BASE_URL in .*gets no credentials"
        ) as caught:
            act()
        assert "hunter2" not in str(caught.value)
    make(http_client=httpx.Client(headers=harmless))._resolve({"extra_headers": harmless}, "ask")
    # Payman's servers may be named by anybody, and the program may name any.
    for text, variable in ((f"{credentials}PAYMAN_ENVIRONMENT=TEST", ""), (server, "http://localhost:5")):
        (folder / ".env").write_text(text)
        monkeypatch.setenv("PAYMAN_BASE_URL", variable)
        own = {"client_id": "own", "client_secret": "s3cret"} if variable else {}
        for act in make_all(lambda own=own, **given: make(**own, **given)):
            act()


def test_a_value_that_cannot_be_shown_is_refused_by_its_name() -> None:
    """An int of more digits than Python writes, or an object whose `repr` fails: its type is shown."""

    class Silent:
        def __repr__(self) -> str:
            raise RuntimeError("nothing to see")

    huge, silent = 10**5000, Silent()
    with Sandbox() as sandbox, sandbox.client() as client:
        calls: list[tuple[str, Callable[[Any], object]]] = [
            ("timeout", lambda value: PaymanClient(client_id="a", client_secret="b", timeout=value)),
            ("max_retries", lambda value: client.ask("Hello!", max_retries=value)),
            ("raise_on_failure", lambda value: client.ask("Hello!", raise_on_failure=value)),
            ("idempotency_key", lambda value: client.ask("Hello!", idempotency_key=value)),
            ("verify", lambda value: client.pay("Test Payee", 1, "TSD", verify=value)),
            ("currency", lambda value: client.pay("Test Payee", 1, value)),
            ("limit", lambda value: client.transactions(limit=value)),
            ("task_id", lambda value: client.get_task(value)),
        ]
        for name, call in calls:
            for value, shown in ((huge, "an int"), (silent, "a Silent")):
                with pytest.raises(ConfigurationError, match=f"^{name} is {shown}"):
                    call(value)
        assert [one for one in sandbox.requests if one.operation != "create_token"] == []
