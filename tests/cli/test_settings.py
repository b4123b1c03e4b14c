from __future__ import annotations

import pytest

from payman_api import SERVERS
from payman_sdk._cli.login_store import Login, read_login
from payman_sdk._cli.settings import SANDBOX_CLIENT, SANDBOX_URL, Settings, resolve
from payman_sdk.errors import ConfigurationError

LOGIN = Login(client_id="person-app", base_url=SERVERS["TEST"])
CREDENTIALS = {"PAYMAN_CLIENT_ID": "app", "PAYMAN_CLIENT_SECRET": "s3cret"}


def sources(settings: Settings) -> tuple[str, str]:
    """Where the client id and the server came from."""
    return settings.client_id.source if settings.client_id else "", settings.base_url.source


def test_flags_win_over_the_environment_and_that_over_the_file() -> None:
    """Each setting is taken from the first place that has it, and says from where."""
    file = {
        "PAYMAN_CLIENT_ID": "of-the-file",
        "PAYMAN_CLIENT_SECRET": "x",
        "PAYMAN_BASE_URL": SERVERS["TEST"],
    }
    settings = resolve(environ={}, env_file=file, env_file_name="/a/.env")
    assert sources(settings) == ("PAYMAN_CLIENT_ID in /a/.env", "PAYMAN_BASE_URL in /a/.env")
    settings = resolve(environ={**CREDENTIALS, "PAYMAN_BASE_URL": SERVERS["INTERNAL"]}, env_file=file)
    assert sources(settings) == ("PAYMAN_CLIENT_ID in the environment", "PAYMAN_BASE_URL in the environment")
    assert settings.server_name == "INTERNAL"
    settings = resolve(env="LIVE", environ={**CREDENTIALS, "PAYMAN_BASE_URL": SERVERS["INTERNAL"]})
    assert (settings.base_url.value, settings.base_url.source) == (SERVERS["LIVE"], "--env")


def test_the_first_place_that_names_a_server_decides() -> None:
    """As for `from_env`: in one place an address wins over an environment, and the environment wins over the file."""
    environ = {**CREDENTIALS, "PAYMAN_ENVIRONMENT": "live"}
    assert resolve(environ=environ, env_file={"PAYMAN_BASE_URL": "http://127.0.0.1:1/"}).server_name == "LIVE"
    settings = resolve(environ={**environ, "PAYMAN_BASE_URL": "http://127.0.0.1:1/"})
    assert settings.base_url.value == "http://127.0.0.1:1"


def test_live_is_everything_that_is_not_known_to_be_harmless() -> None:
    """The TEST server and this SDK's sandbox are harmless; whatever else might be a way to the live server."""
    wrong = []
    for url, live in {
        SERVERS["LIVE"]: True,
        SERVERS["INTERNAL"]: True,
        SERVERS["TEST"]: False,
        f"{SERVERS['TEST']}/": False,
        SERVERS["TEST"].replace("https", "HTTPS"): False,
        f"{SERVERS['TEST']}:8443": True,
        f"{SERVERS['TEST']}:443": True,
        f"{SERVERS['TEST']}/proxy": True,
        f"{SERVERS['TEST']}.example": True,
        f"{SERVERS['TEST']}.": True,
        "http://127.0.0.1:1": True,
        "http://localhost:1": True,
        "http://[::1]:1": True,
        "https://localhost:1": True,
        "https://payman.proxy.example": True,
        "https://sandbox.invalid": True,
    }.items():
        if resolve(base_url=url, environ=CREDENTIALS).is_live is not live:
            wrong.append(url)
    assert wrong == []


def test_credentials_that_only_a_sandbox_takes_are_harmless_on_this_machine() -> None:
    """`payman sandbox` always has a client that no other server has; it says nothing of other machines."""
    environ = {"PAYMAN_CLIENT_ID": SANDBOX_CLIENT, "PAYMAN_CLIENT_SECRET": SANDBOX_CLIENT}
    for url, live in (
        ("http://127.0.0.1:1", False),
        ("http://localhost:1", False),
        ("https://payman.proxy.example", True),
        (SERVERS["LIVE"], True),
    ):
        assert resolve(base_url=url, environ=environ).is_live is live, url
        other = {**environ, "PAYMAN_CLIENT_SECRET": "s3cret"}
        assert resolve(base_url=url, environ=other).is_live, url
    assert not resolve(env="SANDBOX", environ={}).is_live
    assert not resolve(env="SANDBOX", environ=CREDENTIALS).is_live


def test_the_login_is_used_where_nothing_names_another() -> None:
    """A person's login completes what is not set, and is left alone where something else is meant."""
    settings = resolve(environ={}, login=LOGIN)
    assert settings.login is LOGIN
    assert sources(settings) == ("the stored login", "the stored login")
    spelled = resolve(environ={}, login=LOGIN, base_url=f"{SERVERS['TEST'].upper()}:443/")
    assert spelled.login is LOGIN
    for other in (
        {"environ": CREDENTIALS},
        {"environ": {}, "env": "LIVE"},
        {"environ": {}, "base_url": SANDBOX_URL},
    ):
        settings = resolve(login=LOGIN, **other)
        assert settings.login is None
        assert len(settings.notes) == 1


def test_a_persons_account_is_not_replaced_by_the_applications() -> None:
    """Credentials of the application that the person logged in to only renew the token."""
    environ = {
        "PAYMAN_CLIENT_ID": LOGIN.client_id,
        "PAYMAN_CLIENT_SECRET": "s3cret",
        "PAYMAN_ENVIRONMENT": "TEST",
    }
    settings = resolve(environ=environ, login=LOGIN)
    assert settings.login is LOGIN
    assert settings.to_config()["client_secret"] == "s3cret"


@pytest.mark.parametrize(
    "settings",
    [
        {"env": "SANDBOX", "environ": CREDENTIALS},
        {"environ": {**CREDENTIALS, "PAYMAN_ENVIRONMENT": "sandbox"}},
    ],
)
def test_the_local_sandbox_gets_no_secret_of_another_server(settings: dict[str, object]) -> None:
    """SANDBOX is this machine, where anybody may listen: only the sandbox's own credentials go there."""
    config = resolve(**settings).to_config()  # type: ignore[arg-type]
    assert config == {"client_id": SANDBOX_CLIENT, "client_secret": SANDBOX_CLIENT, "base_url": SANDBOX_URL}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"env": "TEST", "base_url": "https://a.example"}, "both name a server"),
        (
            {"environ": {"PAYMAN_ENVIRONMENT": "moon"}},
            "PAYMAN_ENVIRONMENT, from PAYMAN_ENVIRONMENT in the env",
        ),
        ({"base_url": "http://a.example"}, "from --base-url, would send secrets over plain http"),
        ({"base_url": ""}, "from --base-url, is not an https address"),
        ({"base_url": "", "env": "TEST"}, "both name a server"),
        (
            {"base_url": "", "environ": {"PAYMAN_BASE_URL": "https://a.example", **CREDENTIALS}},
            "from --base-url, is not an https address",
        ),
        ({"base_url": "https://u:p@a.example"}, "holds a user name or password"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, object], words: str) -> None:
    """A wrong setting is named with its place."""
    with pytest.raises(ConfigurationError, match=words):
        resolve(**{"environ": {}, **given})  # type: ignore[arg-type]


def test_settings_show_no_secret() -> None:
    """Neither `repr` nor what is wrong shows a secret."""
    settings = resolve(environ=CREDENTIALS)
    assert "s3cret" not in repr(settings)
    with pytest.raises(ConfigurationError, match="PAYMAN_CLIENT_ID is not set") as caught:
        resolve(environ={"PAYMAN_CLIENT_SECRET": "s3cret"}).to_config()
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "shape", [None, [], {}, {"client_id": 1}, {"client_id": "a", "base_url": "b", "keep": "c"}]
)
def test_what_is_not_login_is_none(shape: object) -> None:
    """Only what was written by `login` is read as one."""
    assert read_login(shape) is None
