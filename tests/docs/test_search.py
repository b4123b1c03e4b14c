"""A developer's question finds its page: the first hit of the search index that the site ships."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.search import rank_pages, read_index

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
}


def find_answers(site: Path, question: str) -> set[str]:
    """Return the page of the first hit; of an answer in questions.md, the pages that it links too."""
    first = rank_pages(read_index(site), question)[0]
    page, _, anchor = first.partition("#")
    if page != "questions.html":
        return {page}
    text = (site / page).read_text(encoding="utf-8")
    answer = text.partition(f'id="{anchor}"')[2].partition("<h2")[0]
    return set(re.findall(r'href="([\w/-]+\.html)', answer)) if anchor else set()


def test_each_question_finds_its_page(site: Path) -> None:
    """The first hit answers each of these questions, or links the page that does."""
    found = {question: find_answers(site, question) for question in QUESTIONS}
    assert {question: pages for question, pages in found.items() if QUESTIONS[question] not in pages} == {}


def test_a_word_that_no_page_has_finds_nothing(site: Path) -> None:
    """The search does not answer whatever is asked."""
    assert rank_pages(read_index(site), "zeppelin") == []
