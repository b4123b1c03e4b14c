"""A developer's question finds its page: the first hit of the search index that the site ships."""

from __future__ import annotations

from pathlib import Path

from tests.docs.search import rank_pages, read_index

QUESTIONS = {
    "how do I set a proxy": "guides/networking.html",
    "proxy": "guides/networking.html",
    "set a timeout": "guides/networking.html",
    "company certificate": "guides/networking.html",
    "how do I know it was paid": "guides/payments.html",
    "refund": "guides/payments.html",
    "currency": "guides/payments.html",
    "amount as float": "guides/payments.html",
    "list transactions": "guides/payments.html",
    "webhook": "guides/webhooks.html",
    "verify a webhook": "guides/webhooks.html",
    "mock": "guides/testing.html",
    "how do I test my agent": "guides/testing.html",
    "Django": "guides/django.html",
    "Flask": "guides/flask.html",
    "Celery job runs twice": "guides/celery.html",
    "AWS Lambda": "guides/serverless.html",
    "docker compose": "guides/docker.html",
    "Jupyter notebook": "guides/notebooks.html",
    "FastAPI": "guides/web-services.html",
    "asyncio": "guides/web-services.html",
    "where do I get a client id": "guides/install.html",
    "which extras are there": "guides/install.html",
    "how do I not pay twice": "guides/retries.html",
    "idempotency key": "guides/retries.html",
    "stream an answer": "guides/streaming.html",
    "approve a payment": "guides/approvals.html",
    "refresh token": "guides/grants.html",
    "log in a person": "guides/grants.html",
    "which scopes": "guides/grants.html",
    "environment variables": "guides/settings.html",
    "spending limit": "guides/agents.html",
    "LangChain": "guides/langchain.html",
    "exit codes": "guides/command.html",
    "OpenTelemetry": "guides/telemetry.html",
    "logging": "guides/telemetry.html",
    "error classes": "guides/errors.html",
    "outcome undetermined": "guides/errors.html",
    "resume a session": "guides/sessions.html",
    "Redis token store": "guides/fleets.html",
    "migrate from version 1": "guides/migrating.html",
    "deprecation policy": "versioning.html",
    "try without an account": "guides/sandbox.html",
}


def test_each_question_finds_its_page(site: Path) -> None:
    """The first hit answers each of these questions."""
    sections = read_index(site)
    first = {question: rank_pages(sections, question)[:1] for question in QUESTIONS}
    assert {question: found for question, found in first.items() if found != [QUESTIONS[question]]} == {}


def test_a_word_that_no_page_has_finds_nothing(site: Path) -> None:
    """The search does not answer whatever is asked."""
    assert rank_pages(read_index(site), "zeppelin") == []
