from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

import payman_sdk.sandbox as room
from payman_sdk.sandbox import Sandbox
from payman_sdk.sandbox._web.actions import ACTIONS
from payman_sdk.sandbox._web.origins import (
    CSRFTokens,
    RequestOrigin,
    find_api_refusal,
    find_change_refusal,
    find_page_refusal,
)
from tests.sandbox.web.visitor import ORIGIN, Visitor, visiting
from tests.tables import table


@pytest.fixture(scope="module")
def visitor() -> Iterator[Visitor]:
    """A visitor with a payment that waits; every test here is refused, so that it goes on waiting."""
    with visiting() as somebody:
        somebody.client.ask("send 150 TSD to Test Payee")
        yield somebody
        assert len(somebody.sandbox.pending_payments) == 1


def asked(host: str = "127.0.0.1:8642", port: int | None = 8642, **said: Any) -> RequestOrigin:
    return RequestOrigin("http", port, (host,), said.get("origin"), said.get("site"))


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8642", "localhost:8642", "LOCALHOST:8642", "[::1]:8642", "127.0.0.2:8642"]
)
def test_the_page_is_there_under_own_names(host: str) -> None:
    """Names that can lead nowhere but to this machine, with the port that is listened on."""
    assert find_page_refusal(asked(host)) is None


@table(
    "host",
    [
        "evil.example:8642",
        "127.0.0.1",
        "127.0.0.1:80",
        "127.0.0.1:8643",
        "127.0.0.1.evil.example:8642",
        "localhost.evil.example:8642",
        "localhost.:8642",
        "evil@127.0.0.1:8642",
        "127.0.0.1:8642/",
        "127.0.0.1:8642#",
        "0.0.0.0:8642",
        "10.0.0.1:8642",
        "[::1:8642",
        "[::1]evil.example:8642",
        "evil.example[::1]:8642",
        "127.0.0.1:x",
        "",
    ],
)
def test_the_page_is_nowhere_else(host: str) -> None:
    """A name that somebody else may have led to this machine, another port, and what is no host."""
    assert find_page_refusal(asked(host)) is not None
    assert find_api_refusal(asked(host, origin=f"http://{host}")) is not None
    assert find_api_refusal(asked(host)) is None


def test_no_host_and_two_hosts_are_refused() -> None:
    """HTTP/1.0 without a Host, and a request with two."""
    for hosts in ((), ("127.0.0.1:8642", "evil.example")):
        assert find_page_refusal(RequestOrigin("http", 8642, hosts, None, None)) is not None


@table(
    ("said", "is_taken"),
    [
        ({"origin": ORIGIN}, True),
        ({"origin": ORIGIN, "site": "same-origin"}, True),
        ({"site": "same-origin"}, True),
        ({}, False),
        ({"origin": ORIGIN, "site": "same-site"}, False),
        ({"origin": ORIGIN, "site": "cross-site"}, False),
        ({"origin": ORIGIN, "site": "none"}, False),
        ({"origin": "null", "site": "same-origin"}, False),
        ({"origin": "http://127.0.0.1:8643", "site": "same-site"}, False),
        ({"origin": "http://localhost:8642", "site": "cross-site"}, False),
        ({"origin": "https://127.0.0.1:8642"}, False),
        ({"origin": f"{ORIGIN}, {ORIGIN}"}, False),
        ({"origin": f"{ORIGIN}.evil.example"}, False),
    ],
)
def test_a_change_comes_from_the_page_itself(said: dict[str, Any], is_taken: bool) -> None:
    """Origin and Sec-Fetch-Site both have to agree as far as they are there, and one of them has to be."""
    assert (find_change_refusal(asked(**said)) is None) is is_taken


def test_the_api_is_for_apps_and_own_pages() -> None:
    """Without an Origin whatever the Host is; with one only where it and the Host are the sandbox's own."""
    assert find_api_refusal(asked("sandbox.invalid", None)) is None
    assert find_api_refusal(asked(origin=ORIGIN)) is None
    assert find_api_refusal(asked(origin="null")) is None  # the consent page's form
    assert find_api_refusal(asked("evil.example:8642", origin="null")) is not None
    assert find_api_refusal(asked(origin="https://evil.example")) is not None


def test_the_api_refuses_pages_of_others(visitor: Visitor) -> None:
    """A foreign Origin gets a 403 in JSON, from the token endpoint too; it is among the requests."""
    headers = {"Origin": "https://evil.example"}
    answer = visitor.http.post("/api/oauth2/token", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (403, "foreign_origin")
    assert visitor.sandbox.requests[-1].status == 403


@pytest.mark.slow
@table("action", sorted(ACTIONS))
@table("missing", ["token", "wrong token", "cookie", "other cookie", "origin", "foreign origin"])
def test_no_change_without_token_cookie_and_origin(visitor: Visitor, action: str, missing: str) -> None:
    """Each form is refused when one of them is missing or another's, and nothing is written."""
    page = visitor.get()
    form = {**page.form("decide"), "decision": "approve", "sure": "yes", "kind": "credentials", "prompt": "x"}
    headers = {"Origin": ORIGIN, "Cookie": f"payman-sandbox={visitor.http.cookies['payman-sandbox']}"}
    match missing:
        case "token":
            del form["token"]
        case "wrong token":
            form["token"] = CSRFTokens().make_token(visitor.http.cookies["payman-sandbox"])
        case "cookie":
            del headers["Cookie"]
        case "other cookie":
            headers["Cookie"] = f"payman-sandbox={'0' * 64}"
        case "origin":
            del headers["Origin"]
        case _:
            headers["Origin"] = "http://127.0.0.1:8643"
    version = visitor.sandbox.service.store.version
    with httpx.Client(transport=visitor.sandbox.transport(), base_url=ORIGIN) as http:
        answer = http.post(f"/web/{action}", data=form, headers=headers)
    assert answer.status_code == 403
    assert "othing was changed" in answer.text
    assert visitor.sandbox.service.store.version == version


def test_the_right_name_is_needed_over_http_too(visitor: Visitor) -> None:
    """Under a rebound name neither the page, its files, nor the root are there."""
    for path in ("/", "/web/", "/web/live", "/web/static/page.css"):
        answer = visitor.http.get(path, headers={"Host": "evil.example:8642"})
        assert (answer.status_code, "127.0.0.1 or localhost" in answer.text) == (403, True)


@table("path", ["/", "/web/", "/web/policy", "/web/nothing", "/web/static/live.js", "/web/static/x"])
def test_every_answer_is_kept_in(visitor: Visitor, path: str) -> None:
    """Nothing is loaded from elsewhere, framed, sniffed, stored or sent on, whatever the answer is."""
    for host in ("127.0.0.1:8642", "evil.example"):
        headers = visitor.http.get(path, headers={"Host": host}).headers
        policy = headers["content-security-policy"]
        for rule in ("default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
            assert rule in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"


def test_what_leads_on_after_a_change_is_kept_in_too(visitor: Visitor) -> None:
    """The answer to a form has the headers of a page, and leads to an address of the page."""
    answer = visitor.send(visitor.get("faults"), "clear")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["location"].startswith("/web/faults?")


def test_pages_need_nothing_from_elsewhere(visitor: Visitor) -> None:
    """Every address on a page is the sandbox's own, and no attribute holds a script or a style."""
    html = visitor.get().html
    addresses = re.findall(r'(?:href|src|action)="([^"]*)"', html)
    assert addresses
    assert all(address.startswith(("/web/", "#")) for address in addresses)
    assert not re.search(r"<[^>]*\s(on\w+|style)=", html)


def test_the_cookie_is_strict_and_stays(visitor: Visitor) -> None:
    """It is for this page only, for no script and no other site; it is given once, and what is none is replaced."""
    with httpx.Client(transport=visitor.sandbox.transport(), base_url=ORIGIN) as http:
        given = http.get("/web/").headers["set-cookie"]
        assert re.fullmatch(
            "payman-sandbox=[0-9a-f]{64}; HttpOnly; Path=/web; SameSite=strict", given, re.IGNORECASE
        )
        assert "set-cookie" not in http.get("/web/tasks").headers
    with httpx.Client(transport=visitor.sandbox.transport(), base_url=ORIGIN) as http:
        assert "set-cookie" in http.get("/web/", headers={"Cookie": "payman-sandbox=mine"}).headers


def test_getting_changes_nothing(visitor: Visitor) -> None:
    """The address of a form, loaded instead of sent, does nothing, and other methods are not there."""
    version = visitor.sandbox.service.store.version
    form = visitor.get().form("decide") | {"decision": "approve"}
    for action in ACTIONS:
        assert visitor.http.get(f"/web/{action}", params=form).status_code in (200, 404)
    assert visitor.http.put("/web/decide", headers={"Origin": ORIGIN}).status_code == 405
    assert visitor.sandbox.service.store.version == version


def test_bodies_that_are_not_form_are_refused(visitor: Visitor) -> None:
    """JSON, bytes that are no text, too many fields and too many bytes are refused, and a form with another's payment."""
    headers = {"Origin": ORIGIN}
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert visitor.http.post("/web/decide", json={"token": "x"}, headers=headers).status_code == 403
    assert visitor.http.post("/web/decide", content=b"\xff=%ff", headers=headers | kind).status_code == 403
    assert visitor.http.post("/web/decide", content=b"a=b&" * 99, headers=headers | kind).status_code == 403
    assert (
        visitor.http.post("/web/decide", content=b"a" * 2_000_000, headers=headers | kind).status_code == 413
    )
    page = visitor.get()
    assert visitor.send(page, "decide", decision="approve", payment="txn-x").status_code == 422
    assert visitor.send(page, "decide", decision="both").status_code == 422
    assert visitor.send(page, "ask", prompt="hi", reply="9" * 5000).status_code == 404
    assert visitor.send(page, "ask", prompt="hi", session="²").status_code == 404


def test_tokens_of_one_sandbox_are_none_of_another() -> None:
    """Two sandboxes on one machine share the browser's cookie, and not the tokens."""
    one, other = CSRFTokens(), CSRFTokens()
    cookie = one.choose_cookie(None)
    assert one.is_valid(cookie, one.make_token(cookie))
    assert other.choose_cookie(cookie) == cookie
    assert not other.is_valid(cookie, one.make_token(cookie))
    assert not one.is_valid(None, one.make_token(""))
    assert not one.is_valid(cookie, None)
    assert not one.is_valid(cookie, "ä")


def test_a_missing_template_engine_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without jinja2 the sandbox says which extra it needs."""

    def missing(name: str) -> object:
        raise ModuleNotFoundError("No module named 'jinja2'", name="jinja2")

    monkeypatch.setattr(room, "import_module", missing)
    with pytest.raises(ImportError, match=r"needs jinja2: pip install 'paymanai-sdk\[sandbox\]'"):
        _ = room.Sandbox


def test_the_page_has_an_address() -> None:
    """`page_url` is where a browser goes."""
    sandbox = Sandbox(port=8642)
    assert sandbox.web_url == "http://127.0.0.1:8642/web/"
    sandbox.close()
