"""The checks of `scripts/lint` that look for secrets and for unsafe habits find what is planted, and nothing in the project."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from detect_secrets.plugins.keyword import KeywordDetector

from scripts.secret_scan import find_secrets, is_made_up, tracked_files

pytestmark = pytest.mark.slow


ROOT = Path(__file__).parent.parent
# Made here, so that this file itself holds nothing that looks like a secret.
DIGEST = hashlib.sha256(b"payman")
RANDOM = base64.b64encode(DIGEST.digest(), b"xx").decode()[:24]
PLANTED = {
    "a client secret": ("app.py", f'client_secret = "{RANDOM}"'),
    "a password in JSON": ("settings.json", f'{{"password": "{RANDOM}"}}'),
    "a password in an address": ("app.toml", f'url = "redis://payman:{RANDOM}@redis.example/0"'),
    "a key of AWS": ("notes.md", "the key is AKIA" + "Z7Q2M4X6P9R3T5W8"),
    "a token of GitHub": ("ci.yaml", "token: ghp_" + DIGEST.hexdigest()[:36]),
    "a token of Slack": ("hook.txt", "xoxb-" + "-".join(("263594206564", "2343594206574", RANDOM))),
    "a key of Stripe": ("pay.py", f"stripe('sk_live_{RANDOM}')"),
    "a private key": ("server.pem", "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow==\n"),
    "a JSON web token": (
        "session.txt",
        "eyJhbGciOiJIUzI1NiJ9." + base64.urlsafe_b64encode(b'{"sub": "payman"}').decode() + f".{RANDOM}",
    ),
    "random Base64": ("data.py", f'VALUE = "{base64.b64encode(bytes(range(7, 247, 6))).decode()}"'),
    "random hexadecimal": ("data2.py", f'VALUE = "{DIGEST.hexdigest()}"'),
    "the access token of a recording": ("cassette.yaml", f"access_token: '{DIGEST.hexdigest()}'"),
    "a variable": ("deploy.sh", f"export PAYMAN_CLIENT_SECRET='{RANDOM}'"),
}
MADE_UP = (
    "your_client_secret",
    "your-client-secret",
    "PAYMAN_CLIENT_SECRET",
    "s3cret",
    "a-secret",
    "hunted-r3fresh",
    "Ann-Marie",
)


def test_every_kind_of_secret_is_found_without_being_shown(tmp_path: Path) -> None:
    for name, (file, text) in PLANTED.items():
        path = tmp_path / file
        path.write_text(f"# a file\n{text}\n", "utf-8")
        said = find_secrets([path], tmp_path)
        assert said, name
        assert all(line.startswith(f"{file}:2: ") for line in said), (name, said)
        assert RANDOM not in "".join(said), name


def test_examples_are_not_secrets(tmp_path: Path) -> None:
    path = tmp_path / "example.py"
    path.write_text("".join(f'client_secret = "{value}"\n' for value in MADE_UP), "utf-8")
    assert find_secrets([path], tmp_path) == []
    for value in (RANDOM, RANDOM.lower(), "Tr0ub4dor&3", "12345678", "pm-test-8f3a1c"):
        assert not is_made_up(value, KeywordDetector()), value


def test_what_git_does_not_ignore_is_scanned() -> None:
    """Everything but hashes and images; a file that nobody has listed is scanned."""
    names = {str(path.relative_to(ROOT)) for path in tracked_files()}
    assert {"README.md", ".gitignore", "pyproject.toml", "spec/payman.openapi.yaml", "scripts/lint"} <= names
    assert any(name.startswith("tests/") and name.endswith(".yaml") for name in names)
    assert "requirements-dev.lock" not in names


UNSAFE = {
    "a shell": "import subprocess\nsubprocess.call(name, shell=True)\n",
    "pickle": "import pickle\npickle.loads(data)\n",
    "certificates that nobody checks": "import httpx\nhttpx.get(url, verify=False)\n",
    "a predictable file": "import tempfile\ntempfile.mktemp()\n",
    "eval": "eval(text)\n",
}


def test_unsafe_habits_are_found(tmp_path: Path) -> None:
    for position, text in enumerate(UNSAFE.values()):
        (tmp_path / f"unsafe{position}.py").write_text(text, "utf-8")
    (tmp_path / "safe.py").write_text("print('hello')\n", "utf-8")
    command = [sys.executable, "-m", "bandit", "--quiet", "-c", "pyproject.toml", "-r", str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stderr
    missed = [name for position, name in enumerate(UNSAFE) if f"unsafe{position}.py" not in ran.stdout]
    assert not missed
    assert "/safe.py" not in ran.stdout
