"""Which settings hold, and their sources: flags, then the environment, then `.env`, then the stored login.

The first of these that names a server, by `PAYMAN_BASE_URL` or else by `PAYMAN_ENVIRONMENT`, decides. `_core/auth/credentials.py`
decides which credentials may be sent there. The stored login applies if nothing names another application or server. Its person's
account pays. The application's credentials then only renew the token, because they would pay from another account.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from urllib.parse import urlsplit

from attrs import field, frozen

from payman_api import SERVERS
from payman_sdk._cli.login_store import Login
from payman_sdk._client.config_types import PaymanConfig
from payman_sdk._client.environment import (
    ABOUT_REST_KEY,
    INSTEAD_OF_REST_KEY,
    REST_KEY,
    check_sources,
    is_payman_url,
)
from payman_sdk._client.environment import FoundSetting as FoundSetting
from payman_sdk._refusals import refuse
from payman_sdk._secrets import SecretStr
from payman_sdk._url import (
    HTTP_HOSTS_VARIABLE,
    find_url_problem,
    format_url,
    is_loopback,
    normalize_url,
    read_http_hosts,
)
from payman_sdk.errors import ConfigurationError

SANDBOX_PORT = 8642
SANDBOX_URL = f"http://127.0.0.1:{SANDBOX_PORT}"
SANDBOX_CLIENT = "payman-sandbox"
"""The id, and the secret, of a client that `payman sandbox` always has, so that `--env SANDBOX` needs no settings."""

Values = Mapping[str, str | None]


class ServerName(StrEnum):
    LIVE = "LIVE"
    TEST = "TEST"
    INTERNAL = "INTERNAL"
    SANDBOX = "SANDBOX"


@frozen(kw_only=True)
class Settings:
    """The settings that hold. With a login, its account is used; else the application's own. `notes` are surprises in them."""

    client_id: FoundSetting | None
    client_secret: FoundSetting | None = field(repr=False)
    base_url: FoundSetting
    login: Login | None = None
    is_own_sandbox: bool = False
    notes: Sequence[str] = ()
    has_rest_key: bool = False
    allow_http_hosts: Sequence[str] = ()

    @property
    def server_name(self) -> str:
        """What a person is shown of the server: its name, or its address."""
        names = {url: name for name, url in SERVERS.items()}
        return names.get(self.base_url.value.rstrip("/"), format_url(self.base_url.value))

    @property
    def is_live(self) -> bool:
        """Whether real money may move there: everywhere but at the TEST server and at a sandbox of this SDK.

        A local server may be a proxy, so its address proves nothing.
        """
        return not self.is_sandbox and self.base_url.value.rstrip("/").lower() != SERVERS["TEST"]

    @property
    def is_sandbox(self) -> bool:
        """Whether the server is known to be a sandbox of this SDK.

        The command started it, the credentials are those of `payman sandbox`, or a server on this machine proves it.
        """
        if self.is_own_sandbox:
            return True
        credentials = [found.value for found in (self.client_id, self.client_secret) if found is not None]
        host = urlsplit(self.base_url.value).hostname or ""
        if credentials == [SANDBOX_CLIENT, SANDBOX_CLIENT] and is_loopback(host):
            return True
        from payman_sdk._cli.identity import is_sandbox

        return is_sandbox(self.base_url.value)

    @property
    def notice(self) -> str:
        """What to say before credentials are sent: the server and who named it, unless it is Payman's; else empty.

        A server on this machine is not mentioned if a flag, the environment or a login names it.
        """
        server, parts = self.base_url, urlsplit(self.base_url.value)
        is_here = is_loopback(parts.hostname or "")
        if self.is_own_sandbox or (is_here and not server.is_from_file) or is_payman_url(server.value):
            return ""
        way = "over plain http to" if parts.scheme == "http" and not is_here else "to"
        return f"Credentials go {way} {format_url(server.value)}, which is not a server of Payman's ({server.source})."

    @property
    def is_complete(self) -> bool:
        return self.client_id is not None and (self.client_secret is not None or self.login is not None)

    def to_config(self) -> PaymanConfig:
        """Return the settings as a client takes them; raises ConfigurationError."""
        if self.client_id is None or not self.is_complete:
            needed = {"PAYMAN_CLIENT_ID": self.client_id, "PAYMAN_CLIENT_SECRET": self.client_secret}
            missing = [name for name, found in needed.items() if found is None]
            said = (
                f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set, and nobody is logged in"
                f" at {self.server_name}."
            )
            if self.has_rest_key:
                raise ConfigurationError(f"{said} {ABOUT_REST_KEY}", next_step=INSTEAD_OF_REST_KEY)
            raise ConfigurationError(
                said,
                next_step="Set them in the environment or in a file named .env, or run payman login; without an account,"
                ' try payman --sandbox ask "list all wallets".',
            )
        config: PaymanConfig = {
            "client_id": self.client_id.value,
            "client_secret": self.client_secret.value if self.client_secret else None,
            "base_url": self.base_url.value,
        }
        if self.allow_http_hosts:
            config["allow_http_hosts"] = self.allow_http_hosts
        return config


def resolve(
    *,
    env: str | None = None,
    base_url: str | None = None,
    client_id: str | None = None,
    environ: Values,
    env_file: Values | None = None,
    env_file_name: str = ".env",
    login: Login | None = None,
) -> Settings:
    """Return the settings that hold; raises ConfigurationError."""
    if env and base_url is not None:
        raise ConfigurationError("--env and --base-url both name a server.", next_step="Give one of them.")
    places = [
        _VariableSource("the environment", environ),
        _VariableSource(env_file_name, env_file or {}, is_file=True),
    ]
    server = _find_server(env, base_url, places)
    if server is _THE_SANDBOX:
        return _make_sandbox_settings(login)
    application = (
        FoundSetting(client_id, "--client-id")
        if client_id is not None
        else _find_first(places, "PAYMAN_CLIENT_ID")
    )
    secret = _find_first(places, "PAYMAN_CLIENT_SECRET")
    notes: list[str] = []
    if login is not None:
        if _is_compatible(application, login.client_id) and _is_at_server(server, login):
            if _is_sandbox_login(login):
                secret = FoundSetting(SecretStr(SANDBOX_CLIENT), "the local sandbox")
            elif server is None and secret is not None and not is_payman_url(login.base_url):
                # What a login remembers may once have come from a file.
                said = f"{secret.source} is not sent to {format_url(login.base_url)}, because only the stored login names that server"
                notes.append(f"{said}; to renew its token, also set PAYMAN_BASE_URL.")
                secret = None
            application = application or FoundSetting(login.client_id, "the stored login")
            server = server or FoundSetting(login.base_url, "the stored login")
        else:
            notes.append(
                f"The stored login belongs to {login.client_id} at {format_url(login.base_url)} and is not used here."
            )
            login = None
    http_hosts: Sequence[str] = ()
    if server is not None and not _is_sandbox_login(login):
        used = [server, application, secret, None if login is None else FoundSetting("", "the stored login")]
        http_hosts = _find_http_hosts(places, used)
        _check_address(server, http_hosts)
        check_sources(server, *(() if login is not None else (application,)), secret)
    return Settings(
        client_id=application,
        client_secret=secret,
        base_url=FoundSetting(SERVERS["LIVE"], "the default") if server is None else server,
        login=login,
        notes=notes,
        has_rest_key=_find_first(places, REST_KEY) is not None,
        allow_http_hosts=http_hosts,
    )


def _make_sandbox_settings(login: Login | None) -> Settings:
    """Return the settings of `payman sandbox`: whatever listens there gets no secret of another server's."""
    source = "the local sandbox"
    return Settings(
        client_id=FoundSetting(SANDBOX_CLIENT, source),
        client_secret=FoundSetting(SecretStr(SANDBOX_CLIENT), source),
        base_url=FoundSetting(SANDBOX_URL, source),
        login=login if _is_sandbox_login(login) else None,
    )


def _is_compatible(found: FoundSetting | None, value: str) -> bool:
    return found is None or found.value == value


def _is_at_server(server: FoundSetting | None, login: Login) -> bool:
    return server is None or normalize_url(server.value) == normalize_url(login.base_url)


@frozen
class _VariableSource:
    name: str
    values: Values = field(repr=False)
    is_file: bool = False

    def find(self, variable: str) -> FoundSetting | None:
        """Return a variable that is not empty."""
        value = (self.values.get(variable) or "").strip()
        if not value:
            return None
        source = f"{variable} in {self.name}"
        return FoundSetting(
            SecretStr(value) if variable == "PAYMAN_CLIENT_SECRET" else value, source, self.is_file
        )


_THE_SANDBOX = FoundSetting(SANDBOX_URL, "the local sandbox")


def _is_sandbox_login(login: Login | None) -> bool:
    """Whether it is one at the sandbox that `payman sandbox` serves."""
    return login is not None and (login.client_id, login.base_url) == (SANDBOX_CLIENT, SANDBOX_URL)


def _find_server(
    env: str | None, base_url: str | None, places: Sequence[_VariableSource]
) -> FoundSetting | None:
    """Return the server that the first place names, None where none does."""
    if env:
        return _THE_SANDBOX if env == ServerName.SANDBOX else FoundSetting(SERVERS[env], "--env")
    if base_url is not None:
        return FoundSetting(base_url.rstrip("/"), "--base-url")
    for place in places:
        if (found := place.find("PAYMAN_BASE_URL")) is not None:
            return found._replace(value=found.value.rstrip("/"))
        if (found := place.find("PAYMAN_ENVIRONMENT")) is not None:
            return _resolve_name(found)
    return None


def _find_http_hosts(places: Sequence[_VariableSource], used: Sequence[FoundSetting | None]) -> Sequence[str]:
    """Return the hosts allowed over http. What a file allows is for a server and credentials of that file alone."""
    is_of_file = all(found is None or found.is_from_file for found in used)
    for place in places:
        found = place.find(HTTP_HOSTS_VARIABLE)
        if found is not None and (is_of_file or not place.is_file):
            return sorted(read_http_hosts(found.value, found.source))
    return ()


def _check_address(found: FoundSetting, http_hosts: Sequence[str]) -> None:
    if problem := find_url_problem(found.value, frozenset(http_hosts)):
        refuse(f"The address of the server, from {found.source},", *problem)


def _resolve_name(found: FoundSetting) -> FoundSetting:
    name = found.value.upper()
    if name == ServerName.SANDBOX:
        return _THE_SANDBOX
    if name not in SERVERS:
        raise ConfigurationError(
            f"PAYMAN_ENVIRONMENT, from {found.source}, is {found.value!r}.",
            next_step=f"Use one of {', '.join(ServerName)}.",
        )
    return found._replace(value=SERVERS[name])


def _find_first(places: Sequence[_VariableSource], name: str) -> FoundSetting | None:
    return next((found for place in places if (found := place.find(name)) is not None), None)
