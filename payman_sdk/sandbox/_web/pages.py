"""The web page over HTTP: addresses, cookies and status codes; modules of views provide the content.

Words of others are shown as text: they are never markup, and cannot turn the text around them.
"""

import shlex
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, cast

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from payman_sdk._text.sanitizer import sanitize
from payman_sdk.sandbox._agent import tasks
from payman_sdk.sandbox._ledger import accounts, payments
from payman_sdk.sandbox._ledger.accounts import Account
from payman_sdk.sandbox._ledger.environment import to_datetime
from payman_sdk.sandbox._ledger.store import Transaction
from payman_sdk.sandbox._server.request_log import parse_parameters, read_form
from payman_sdk.sandbox._server.service import Service
from payman_sdk.sandbox._server.stream_faults import StreamFaults
from payman_sdk.sandbox._web import account_views, actions, task_views
from payman_sdk.sandbox._web.actions import ACTIONS, Decision, FormError, PageContext
from payman_sdk.sandbox._web.origins import COOKIE, HEADERS, PAGE, CSRFTokens, build_link
from payman_sdk.sandbox._web.task_views import LiveUpdates

_STATIC = {"page.css": "text/css", "live.js": "text/javascript", "icon.svg": "image/svg+xml"}
_NEWEST_TASKS = 5
_MOST_ACCOUNTS = 200
_NOT_OURS = (
    "This form does not come from a page that this sandbox gave to your browser, or cookies are switched off. "
    "Load the page again; nothing was changed."
)
_SAID = {
    "policy": "The policy is saved.",
    "revoked": "Revoked. The app's next request is refused.",
    "allowed": "The app may get tokens by its credentials again.",
    "fault": "The fault is switched on.",
    "cleared": "Nothing goes wrong any more.",
    "reset": "The sandbox was reset.",
    "mishap": "A fault took this answer: an app would not have received it.",
}
_SAID_OF_PAYMENTS = {
    "paid": "Approved: {amount} was sent to",
    "denied": "Denied: {amount} is not sent to",
    "refused": "Approved, but the policy or the balance forbids it by now: {amount} is not sent to",
    "late": "That was decided before, and nothing was changed: {amount} to",
}

_NAMES = ("overview", "tasks", "task", "transactions", "ledger", "payees", "policy", "apps", "faults")


def _view(
    name: str, tx: Transaction, room: PageContext, account: Account, query: Mapping[str, str]
) -> dict[str, Any]:
    service, number = room.service, _parse_number(query, "page")
    match name:
        case "tasks":
            return {"leaf": task_views.view_tasks(tx, service, account, number)}
        case "task":
            return {
                "view": task_views.view_task(tx, service, account, _parse_number(query, "number")),
                "apps": account_views.list_apps(tx, service.world, account),
            }
        case "transactions":
            return {
                "leaf": account_views.view_transactions(tx, account, number),
                "refused": account_views.view_refusals(tx, account),
            }
        case "ledger":
            return {"leaf": account_views.entries(tx, account, number)}
        case "payees":
            return {"leaf": account_views.view_payees(tx, account, number)}
        case "policy":
            wallets = accounts.list_wallets(tx, account)
            return {"policies": [(one, account_views.view_policy(one)) for one in wallets]}
        case "apps":
            return {"apps": account_views.list_apps(tx, service.world, account)}
        case "faults":
            return {
                "choices": actions.CHOICES,
                "script": actions.list_queued(service.script.entries),
                "streams": actions.list_queued(room.faults.entries),
            }
        case _:
            return {
                "wallets": account_views.view_wallets(tx, account),
                "pending": account_views.view_pending(tx, account),
                "newest": task_views.view_newest(tx, service, account, _NEWEST_TASKS),
                "apps": account_views.list_apps(tx, service.world, account),
                "address": query["address"],
                "quoted_client_id": shlex.quote(account.client_id),
            }


def _parse_number(query: Mapping[str, str], name: str) -> int:
    given = query.get(name, "")
    return int(given) if given.isdecimal() and given.isascii() and len(given) < 10 else 1


def create_pages(service: Service, streams: StreamFaults) -> Starlette:
    """Return the web page as an ASGI application, to be mounted at `PAGE`, behind the guards."""
    return _Pages(
        PageContext(service, streams), LiveUpdates(service, streams), CSRFTokens()
    ).build_application()


class _Pages:
    def __init__(self, room: PageContext, live: LiveUpdates, forgery: CSRFTokens) -> None:
        self._room, self._live, self._forgery = room, live, forgery

    def build_application(self) -> Starlette:
        application = Starlette(
            routes=[
                Route("/static/{name}", _serve_static),
                Route("/live", self._listen),
                Route("/", self._show),
                Route("/{name}", self._show),
                Route("/{name}", self._change, methods=["POST"]),
            ],
            exception_handlers={
                HTTPException: _handle_http_error,
                tasks.UnknownTaskError: _handle_unknown_task,
                ClientDisconnect: _handle_disconnect,
            },
        )
        application.state.live = self._live
        return application

    async def _show(self, request: Request) -> Response:
        name = request.path_params.get("name", "overview")
        if name not in _NAMES:
            raise HTTPException(404, "This page does not exist.")
        cookie = self._forgery.choose_cookie(request.cookies.get(COOKIE))
        query = {**request.query_params, "address": _address(request)}
        html = await run_in_threadpool(self._render_page, name, query, cookie, None)
        answer = HTMLResponse(html, headers=dict(HEADERS))
        if cookie != request.cookies.get(COOKIE):
            answer.set_cookie(COOKIE, cookie, path=PAGE, httponly=True, samesite="strict")
        return answer

    async def _change(self, request: Request) -> Response:
        action = ACTIONS.get(request.path_params["name"])
        if action is None:
            raise HTTPException(404, "This form does not exist.")
        cookie = request.cookies.get(COOKIE)
        form = dict(parse_parameters(await read_form(request)) or [])
        if not self._forgery.is_valid(cookie, form.pop("token", None)):
            raise HTTPException(403, _NOT_OURS)

        def apply_change() -> Decision:
            return action(self._room, self._find_account(form.get("account")), form)

        decision = await run_in_threadpool(apply_change)
        if isinstance(decision, FormError):
            # A form on a task's page is shown again there.
            number = form.get("reply") or form.get("session")
            name = "task" if decision.page == "overview" and number else decision.page
            query = {"account": form.get("account", ""), **({"number": number} if number else {})}
            query["address"] = _address(request)
            html = await run_in_threadpool(self._render_page, name, query, str(cookie), decision)
            return HTMLResponse(html, 422, dict(HEADERS))
        # 303: the browser gets the next page, and loading that again changes nothing.
        return Response(status_code=303, headers={**HEADERS, "Location": decision.address})

    async def _listen(self, request: Request) -> Response:
        account = await run_in_threadpool(self._find_account, request.query_params.get("account"))
        return self._live.make_response(account)

    def _find_account(self, identity: str | None) -> Account:
        with self._room.service.store.transaction() as tx:
            return _load_account(tx, identity)

    def _render_page(self, name: str, query: Mapping[str, str], cookie: str, again: FormError | None) -> str:
        with self._room.service.store.transaction() as tx:
            account = _load_account(tx, query.get("account"))
            everybody = accounts.list_accounts(tx)
            some = everybody[:_MOST_ACCOUNTS]
            place = {key: query[key] for key in ("number", "page") if key in query}
            shown = {
                "said": None if again else _SAID.get(query.get("said", "")),
                "said_of": None if again else _describe_payment(tx, account, query),
                **_view(name, tx, self._room, account, query),
            }
        here = build_link("" if name == "overview" else name, account=account.id, **place)
        return render_template(
            "lists.html" if "leaf" in shown else f"{name}.html",
            title=name.capitalize(),
            name=name,
            nav=[(each, each.capitalize()) for each in _NAMES if each != "task"],
            account=account,
            accounts=some if account in some else [account, *some],
            hidden=max(0, len(everybody) - _MOST_ACCOUNTS),
            here=here,
            token=self._forgery.make_token(cookie),
            again=again,
            typed={} if again is None else again.typed,
            **shown,
        )


def _address(request: Request) -> str:
    """Return where this sandbox serves, by the browser's own address, whose host the guards have checked."""
    return f"{request.url.scheme}://{request.url.netloc}"


def _load_account(tx: Transaction, identity: str | None) -> Account:
    """Return the account with that id, or the first one."""
    if not identity:
        return accounts.list_accounts(tx)[0]
    account = accounts.load_account(tx, identity)
    if account is None:
        raise HTTPException(404, "This account does not exist.")
    return account


def _describe_payment(tx: Transaction, account: Account, query: Mapping[str, str]) -> tuple[str, str] | None:
    """Return what became of a payment: the words, and the payee's name after them."""
    words = _SAID_OF_PAYMENTS.get(query.get("said", ""))
    payment = payments.find(tx, account, query.get("payment", "")) if words else None
    if words is None or payment is None:
        return None
    return words.format(amount=f"{payment.amount:,} {payment.currency}"), payment.payee


async def _serve_static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _STATIC:
        raise HTTPException(404, "This file does not exist.")
    content = files("payman_sdk.sandbox._web").joinpath("static", name).read_bytes()
    return Response(content, headers=dict(HEADERS), media_type=_STATIC[name])


def _handle_http_error(_: Request, failure: Exception) -> Response:
    assert isinstance(failure, HTTPException)  # noqa: S101 (it is registered for these)
    html = render_template("problem.html", problem=failure.detail)
    return HTMLResponse(html, failure.status_code, {**(failure.headers or {}), **HEADERS})


def _handle_unknown_task(_: Request, __: Exception) -> Response:
    html = render_template("problem.html", problem="This task does not exist; perhaps the sandbox was reset.")
    return HTMLResponse(html, 404, dict(HEADERS))


def _handle_disconnect(_: Request, __: Exception) -> Response:
    """Return the browser left while it sent: nobody reads this answer."""
    return Response(status_code=400)


_LONGEST = 200


def _sanitize_value(value: Any) -> Any:
    # Whatever a template shows goes through here; markup is the templates' own.
    return sanitize(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def isolate_text(text: str | None, max_length: int = _LONGEST) -> Markup:
    """Return somebody's words on one line, isolated from the text around them; a cut says how much is missing."""
    line = sanitize((text or "").strip(), one_line=True, max_length=max_length)
    return Markup("<bdi>{}</bdi>").format(line)


def moment(nanoseconds: int) -> str:
    """Return a time to the second, in UTC."""
    return f"{to_datetime(nanoseconds):%Y-%m-%d %H:%M:%S} UTC"


@cache
def _load_templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("payman_sdk.sandbox._web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_sanitize_value,
    )
    templates.filters.update(said=isolate_text, moment=moment)
    cast("dict[str, Any]", templates.globals).update(link=build_link, page=PAGE)
    return templates


def render_template(template: str, **shown: Any) -> str:
    return _load_templates().get_template(template).render(**shown)
