"""A developer's question finds its page: the first hit of the search that the site ships, run as a browser runs it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

QUESTIONS = {
    "how do I know it was paid": "guides/payments.html",
    "how do I not pay twice": "guides/retries.html",
    "how do I retry a failed payment": "guides/retries.html",
    "how do I get a client id": "guides/install.html",
    "how do I try it without an account": "guides/sandbox.html",
    "how do I set a proxy": "guides/networking.html",
    "how do I set a timeout": "guides/networking.html",
    "how do I trust a company certificate": "guides/networking.html",
    "how do I refund a payment": "guides/payments.html",
    "how do I choose the currency": "guides/payments.html",
    "how do I list transactions": "guides/payments.html",
    "how do I create a payee": "guides/payments.html",
    "how do I approve a payment": "guides/approvals.html",
    "how do I receive a webhook": "guides/webhooks.html",
    "how do I verify a webhook": "guides/webhooks.html",
    "how do I stream an answer": "guides/streaming.html",
    "how do I test my agent": "guides/testing.html",
    "how do I mock Payman": "guides/testing.html",
    "how do I use asyncio": "guides/web-services.html",
    "how do I use Django": "guides/django.html",
    "how do I deploy to AWS Lambda": "guides/serverless.html",
    "how do I limit what an agent may spend": "guides/agents.html",
    "how do I act for another person": "guides/grants.html",
    "how do I refresh a token": "guides/grants.html",
    "how do I share a token between processes": "guides/fleets.html",
    "how do I handle an undetermined outcome": "guides/errors.html",
    "how do I see what is sent": "guides/telemetry.html",
    "how do I migrate from version 1": "guides/migrating.html",
    "proxy": "guides/networking.html",
    "webhook": "guides/webhooks.html",
    "mock": "guides/testing.html",
    "refund": "guides/payments.html",
    "currency": "guides/payments.html",
    "Django": "guides/django.html",
    "Flask": "guides/flask.html",
    "Celery": "guides/celery.html",
    "AWS Lambda": "guides/serverless.html",
    "docker compose": "guides/docker.html",
    "notebook": "guides/notebooks.html",
    "FastAPI": "guides/web-services.html",
    "idempotency key": "guides/retries.html",
    "environment variables": "guides/settings.html",
    "LangChain": "guides/langchain.html",
    "exit codes": "guides/command.html",
    "OpenTelemetry": "guides/telemetry.html",
    "log requests": "guides/telemetry.html",
    "enable debug logging": "guides/telemetry.html",
    "change the base url": "guides/settings.html",
    "python 3.10?": "guides/install.html",
    "rate limit": "guides/retries.html",
    "429 too many requests": "guides/retries.html",
    "what happens on ctrl-c": "guides/errors.html",
    "how to store token in database": "guides/fleets.html",
    "retry payment safely": "guides/retries.html",
    "mock in unit tests": "guides/testing.html",
    "use with asyncio": "guides/web-services.html",
    "get balance": "guides/payments.html",
    "check wallet balance": "guides/payments.html",
    "send money": "guides/payments.html",
    "cancel a payment": "guides/approvals.html",
    "connection refused": "guides/errors.html",
    "ssl certificate verify failed": "guides/networking.html",
    "401 unauthorized": "guides/errors.html",
    "where do I get an API key?": "guides/install.html",
    "oauth login": "guides/grants.html",
    "pkce": "guides/grants.html",
    "thread safe": "guides/deploy.html",
    "conversation history": "guides/sessions.html",
    "kubernetes": "guides/docker.html",
    "pytest fixture": "guides/testing.html",
    "custom headers": "guides/settings.html",
    "float amount error": "guides/payments.html",
    "cents or dollars": "guides/payments.html",
    "add bank account payee": "guides/payments.html",
    "list payments": "guides/payments.html",
    "scheduled payment": "guides/celery.html",
    "human in the loop": "guides/agents.html",
    "prompt injection": "guides/agents.html",
    "claude desktop": "guides/mcp.html",
    "json schema output": "guides/payments.html",
    "pydantic model response": "guides/payments.html",
    "prometheus metrics": "guides/telemetry.html",
    "uninstall": "guides/install.html",
    "changelog": "versioning.html",
    "typescript": "guides/from-paymanai.html",
    "progress bar while waiting": "guides/streaming.html",
    "exit code 5": "guides/command.html",
    "test without network": "guides/testing.html",
    "duplicate payment": "guides/retries.html",
    "approval threshold": "guides/approvals.html",
    "jupyter": "guides/notebooks.html",
    "disable retries": "guides/retries.html",
    "delete payee": "guides/payments.html",
    "transaction history": "guides/payments.html",
    "aiohttp": "guides/networking.html",
    "dotenv file": "guides/settings.html",
    "freeze time": "guides/testing.html",
    "webhook signature": "guides/webhooks.html",
    "environment TEST or LIVE": "guides/settings.html",
}
UNANSWERED = ("zeppelin", "how do I")

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None and os.environ.get("CI") != "true",
    reason="the search of the site runs in Node.js, which is not installed",
)


def search(site: Path, questions: Iterable[str]) -> dict[str, list[str]]:
    """Return the places that each question finds, best first: the best section of each page."""
    done = subprocess.run(
        ["node", str(Path(__file__).with_name("search.cjs")), str(site)],
        input=json.dumps(list(questions)),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def find_answers(site: Path, first: str) -> set[str]:
    """Return the page of a hit; of an answer in questions.md, the pages that it links too."""
    page, _, anchor = first.partition("#")
    if page != "questions.html":
        return {page}
    text = (site / page).read_text(encoding="utf-8")
    answer = text.partition(f'id="{anchor}"')[2].partition("<h2")[0]
    return set(re.findall(r'href="([\w/-]+\.html)', answer)) if anchor else set()


@pytest.fixture(scope="module")
def found(site: Path) -> dict[str, list[str]]:
    """What each question of these tests finds."""
    return search(site, [*QUESTIONS, *UNANSWERED])


def test_each_question_finds_its_page(site: Path, found: dict[str, list[str]]) -> None:
    """The first hit answers each of these questions, or links the page that does."""
    missed = {
        question: found[question][:3]
        for question, page in QUESTIONS.items()
        if not found[question] or page not in find_answers(site, found[question][0])
    }
    assert missed == {}


def test_a_word_that_no_page_has_finds_nothing(found: dict[str, list[str]]) -> None:
    """The search does not answer whatever is asked; a question of empty words is asked as it is."""
    assert found["zeppelin"] == []
    assert found["how do I"] != []


def test_each_answer_links_a_page() -> None:
    """Each question on the page of questions has a short answer with a link."""
    text = (Path(__file__).parents[2] / "docs" / "questions.md").read_text(encoding="utf-8")
    answers = re.split(r"^## .+\n", text, flags=re.MULTILINE)[1:]
    assert len(answers) >= 50
    assert [answer for answer in answers if "](" not in answer or len(answer) > 400] == []
