"""The certificates that connections trust."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import certifi
import pytest
import trustme

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk._io import transport
from payman_sdk._io.transport import (
    build_async_http_client,
    build_http_client,
    create_ssl_context,
    load_given,
)
from payman_sdk.errors import APIConnectionError, ConfigurationError
from tests.conftest import SECRET
from tests.loops import LOOPS, run_on
from tests.peer import Peer

VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A file of certificates."""
    file = tmp_path / "certificates.pem"
    file.write_bytes(Path(certifi.where()).read_bytes())
    return file


@pytest.mark.slow
def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Whatever is wrong with a file or a folder, the error names the variable and the path."""
    (tmp_path / "empty.pem").touch()
    (tmp_path / "words.pem").write_text("no certificate\n" * 100)
    (tmp_path / "cut.pem").write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    (tmp_path / "binary.der").write_bytes(bytes(range(256)))
    (tmp_path / "self").symlink_to("self")
    paths = [
        "nowhere.pem",
        "empty.pem",
        "words.pem",
        "cut.pem",
        "binary.der",
        "self",
        "empty.pem/x",
        "a\nb",
        "é" * 300,
    ]
    unexpected = []
    for path in [
        *(str(tmp_path / path) for path in paths),
        "nul\0byte",
        "nowhere.pem",
        "https://ca.example/ca.pem",
    ]:
        for variable in VARIABLES:
            try:
                create_ssl_context("https", {variable: path})
            except ConfigurationError as error:
                if f"{variable} names {path!r}, which cannot be read: " in str(error):
                    continue
            unexpected.append((variable, path))
    assert unexpected == []


def test_a_key_log_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Python opens it for each context; the error of the system does not come out of a client."""
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "nowhere" / "keys", tmp_path / "file" / "keys"):
        monkeypatch.setenv("SSLKEYLOGFILE", str(path))
        transport._load_context.cache_clear()
        with pytest.raises(ConfigurationError, match=r"TLS cannot be set up: .*SSLKEYLOGFILE"):
            create_ssl_context("https", {})
    transport._load_context.cache_clear()


def test_certificates_that_are_gone_are_not_blamed_on_the_key_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An installation may lack the file of certifi."""
    gone = str(tmp_path / "cacert.pem")
    monkeypatch.setattr("certifi.where", lambda: gone)
    transport._load_context.cache_clear()
    for keys in ("", str(tmp_path / "keys")):
        monkeypatch.setenv("SSLKEYLOGFILE", keys)
        with pytest.raises(ConfigurationError) as caught:
            create_ssl_context("https", {})
        assert (gone in str(caught.value), "SSLKEYLOGFILE" in str(caught.value)) == (True, False)
    transport._load_context.cache_clear()


@pytest.mark.slow
def test_the_variable_that_counts(bundle: Path, tmp_path: Path) -> None:
    """OpenSSL's variables win over those of requests and curl; an empty one does not count; plain http reads none."""
    good, bad, folder = str(bundle), str(tmp_path / "nowhere.pem"), str(tmp_path)
    table = [
        ({}, None),
        ({"SSL_CERT_FILE": good, "REQUESTS_CA_BUNDLE": bad, "CURL_CA_BUNDLE": bad}, None),
        ({"SSL_CERT_FILE": "", "REQUESTS_CA_BUNDLE": good, "CURL_CA_BUNDLE": bad}, None),
        ({"SSL_CERT_FILE": " ", "SSL_CERT_DIR": folder, "REQUESTS_CA_BUNDLE": bad}, None),
        ({"SSL_CERT_FILE": good, "SSL_CERT_DIR": folder}, None),
        ({"SSL_CERT_FILE": good, "SSL_CERT_DIR": bad}, "SSL_CERT_DIR"),
        ({"SSL_CERT_FILE": bad, "SSL_CERT_DIR": folder}, "SSL_CERT_FILE"),
        ({"SSL_CERT_DIR": f"{bad}{os.pathsep}{folder}"}, None),
        ({"SSL_CERT_DIR": f"{bad}{os.pathsep}{bad}"}, "SSL_CERT_DIR"),
        ({"REQUESTS_CA_BUNDLE": folder, "CURL_CA_BUNDLE": bad}, None),
        ({"CURL_CA_BUNDLE": good}, None),
        ({"CURL_CA_BUNDLE": bad}, "CURL_CA_BUNDLE"),
        ({"ssl_cert_file": bad, "AWS_CA_BUNDLE": bad, "PIP_CERT": bad}, None),
    ]
    wrong = []
    for environ, refused in table:
        said = ""
        try:
            create_ssl_context("https", environ)
        except ConfigurationError as error:
            said = str(error)
        if bool(said) != bool(refused) or not said.startswith(refused or ""):
            wrong.append((environ, said))
        create_ssl_context("http", environ)
    assert wrong == []


def test_clients_share_the_certificates_that_they_trust(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Certificates are read once for any number of clients, again where they are others, and never for plain http."""
    read: list[str | None] = []
    create = ssl.create_default_context

    def create_and_count(*, cafile: str | None = None, capath: str | None = None) -> ssl.SSLContext:
        read.append(cafile)
        return create(cafile=cafile, capath=capath)

    def make_clients() -> None:
        for base_url in ("https://payman.example", "https://127.0.0.1:9", "http://127.0.0.1:9"):
            build_http_client(base_url).close()
            anyio.run(build_async_http_client(base_url).aclose)

    monkeypatch.setattr("ssl.create_default_context", create_and_count)
    transport._load_context.cache_clear()
    make_clients()
    make_clients()
    assert read == [certifi.where()]
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    make_clients()
    assert read == [certifi.where(), str(bundle)]
    os.utime(bundle, (1, 1))  # renewed in place
    make_clients()
    assert read == [certifi.where(), str(bundle), str(bundle)]
    transport._load_context.cache_clear()


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a peer that speaks TLS on this machine, and the file of the authority that signed its certificate."""
    authority = trustme.CA()
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1", "::1").configure_cert(context)
    with Peer(tls=context) as peer:
        yield f"https://localhost:{peer.port}", file


def test_a_private_authority_is_trusted_on_this_machine(
    secure: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each variable that names a private authority opens a TLS server on loopback to both clients; without one, neither trusts it."""
    base_url, file = secure
    given: Any = {"client_id": "pm-test-1", "client_secret": SECRET, "base_url": base_url, "max_retries": 0}

    def ask() -> str:
        with PaymanClient(**given) as client:
            return client.ask("Hello!").status

    async def ask_async() -> str:
        async with AsyncPaymanClient(**given) as client:
            return (await client.ask("Hello!")).status

    asks: list[Callable[[], str]] = [ask, *(partial(run_on, loop, ask_async) for loop in LOOPS)]
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        with monkeypatch.context() as patch:
            patch.setenv(variable, str(file))
            assert [one() for one in asks] == ["completed"] * len(asks), variable
    for one in asks:
        with pytest.raises(APIConnectionError, match="the certificate is not trusted"):
            one()


def test_the_error_names_where_the_path_came_from() -> None:
    """An argument is left out, and a variable is unset."""
    with pytest.raises(ConfigurationError, match=r"verify names .* or leave it out"):
        load_given("nowhere.pem")
    with pytest.raises(ConfigurationError, match=r"SSL_CERT_FILE names .* or unset the variable"):
        create_ssl_context("https", {"SSL_CERT_FILE": "nowhere.pem"})
