"""Where an extra is missing, the error names the one that suffices, whichever of its packages is missing."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OPTIONAL = {
    "aiohttp", "dotenv", "filelock", "httpx_aiohttp", "jinja2", "keyring", "langchain_core", "agents", "mcp", "opentelemetry",
    "platformdirs", "psycopg", "pydantic_ai", "redis", "rich", "starlette", "typer", "uvicorn",
}  # fmt: skip
CLIENT = "client_id='a', client_secret='b', base_url='http://127.0.0.1:9'"
FEATURES: dict[str, tuple[str, set[str]]] = {
    # extra: what needs it, and which packages of it there are besides its own
    "file": ("from payman_sdk import FileTokenStore; FileTokenStore('/nowhere/a')", set()),
    "file (operations)": ("import payman_sdk.agents.stores.sqlite", set()),
    "keyring": ("import payman_sdk.token_stores.keyring", set()),
    "keyring (alone)": ("import payman_sdk.token_stores.keyring", {"keyring"}),
    "redis": ("import payman_sdk.token_stores.redis", set()),
    "redis (operations)": ("import payman_sdk.agents.stores.redis", set()),
    "mcp": ("import payman_sdk.agents.mcp", set()),
    "langchain": ("import payman_sdk.agents.langchain", set()),
    "openai-agents": ("import payman_sdk.agents.openai_agents", set()),
    "pydantic-ai": ("import payman_sdk.agents.pydantic_ai", set()),
    "sandbox": ("from payman_sdk.sandbox import Sandbox", set()),
    "sandbox (starlette)": (
        "from payman_sdk.sandbox import Sandbox; Sandbox().start()",
        {"starlette", "jinja2"},
    ),
    "otel": (f"from payman_sdk import PaymanClient; PaymanClient({CLIENT}, telemetry=True)", set()),
    "aiohttp": (
        "import asyncio; from payman_sdk import AsyncPaymanClient\n"
        f"async def main(): await AsyncPaymanClient({CLIENT}, transport='aiohttp').ask('x')\n"
        "asyncio.run(main())",
        set(),
    ),
    "cli": ("run('--help')", set()),
    "mcp (command)": ("run('mcp')", set()),
    "mcp (after cli)": ("run('mcp')", {"typer", "rich", "dotenv"}),
    "cli,sandbox": ("run('sandbox')", set()),
    "sandbox (after cli)": ("run('sandbox', '--port', '0')", {"typer", "rich", "dotenv"}),
}
PROGRAM = """
import contextlib, importlib.util, io, json, os, sys
features, optional = json.loads(sys.argv[1])
find_spec = importlib.util.find_spec

def run(*arguments):
    from payman_sdk._cli.main import main
    sys.argv = ["payman", *arguments]
    raise SystemExit(main())

# What every feature imports is imported once, without anything optional.
sys.modules |= dict.fromkeys(optional)
import httpx, payman_sdk._client.sync, payman_sdk._io.runner
for name in optional:
    del sys.modules[name]

said = {}
for name, (code, there) in features.items():
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.dup2(writing, 1), os.dup2(writing, 2)
        sys.modules |= dict.fromkeys(set(optional) - set(there))
        importlib.util.find_spec = lambda module, *given: None if module in optional else find_spec(module, *given)
        try:
            exec(code)
        except BaseException as error:
            print(error, flush=True)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said[name] = pipe.read()
    os.waitpid(child, 0)
print(json.dumps(said))
"""


@pytest.mark.slow
def test_each_error_names_the_one_extra_that_suffices() -> None:
    """Each feature is tried without optional packages, and with those that another extra brings."""
    given = json.dumps(
        [{name: [code, sorted(there)] for name, (code, there) in FEATURES.items()}, sorted(OPTIONAL)]
    )
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, given], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    for name, said in json.loads(done.stdout).items():
        extra = name.partition(" ")[0]
        assert said.count("paymanai-sdk[") == 1, (name, said)
        assert f"pip install 'paymanai-sdk[{extra}]'" in said, (name, said)


def test_every_extra_is_tried_or_fails_by_itself() -> None:
    """An extra that nobody tries here has no error, or is tested with what it is for."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    elsewhere = {"all", "dotenv", "msgspec", "pydantic", "postgres", "testing"}
    tried = {part for name in FEATURES for part in name.partition(" ")[0].split(",")}
    assert tried | elsewhere == set(extras)
