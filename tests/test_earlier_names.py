"""Programs written for other Payman clients fail with what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk.errors import ConfigurationError

SECRET = "the-key-of-the-older-api"


def test_names_of_other_clients_are_explained() -> None:
    """Class methods and methods, in camelCase or of the older REST client; a name that is like nothing here gets no advice."""
    client = PaymanClient(client_id="a", client_secret="b")
    rows = (
        (PaymanClient, "withClientCredentials", "use PaymanClient.with_credentials."),
        (AsyncPaymanClient, "withCredentials", "use AsyncPaymanClient.with_credentials."),
        (PaymanClient, "withAuthCode", "use PaymanClient.with_auth_code."),
        (client, "getAccessToken", "use PaymanClient.get_access_token."),
        (client, "send_payment", "use PaymanClient.pay."),
        (client, "searchPayees", "use PaymanClient.payees."),
        (client, "payments", "use PaymanClient.pay."),
        (client, "balances", "use PaymanClient.wallets."),
        (client, "createPayee", "use PaymanClient.create_payee."),
        (client, "spend_limits", "PaymanClient has no attribute 'spend_limits'"),
        (PaymanClient, "nothing", "PaymanClient has no attribute 'nothing'"),
        (client, "_Private", "PaymanClient has no attribute '_Private'"),
    )
    for owner, name, words in rows:
        with pytest.raises(AttributeError) as raised:
            getattr(owner, name)
        assert str(raised.value).endswith(words), name
        assert not hasattr(owner, name)
    client.close()


def test_the_key_of_the_older_api_is_recognised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`from_env` says what to set instead of PAYMAN_API_SECRET, wherever it is set, and never shows it; beside the right ones it is ignored."""
    monkeypatch.chdir(tmp_path)
    for name in ("PAYMAN_CLIENT_ID", "PAYMAN_CLIENT_SECRET", "PAYMAN_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".env").write_text(f"PAYMAN_API_SECRET={SECRET}\n", "utf-8")
    with pytest.raises(ConfigurationError, match="older REST API"):
        PaymanClient.from_env(dotenv=True)
    with pytest.raises(ConfigurationError) as raised:
        PaymanClient.from_env()
    assert "older REST API" not in str(raised.value)
    monkeypatch.setenv("PAYMAN_API_SECRET", SECRET)
    with pytest.raises(ConfigurationError) as raised:
        AsyncPaymanClient.from_env()
    for words in ("older REST API", "PAYMAN_CLIENT_ID and PAYMAN_CLIENT_SECRET", "from-paymanai"):
        assert words in str(raised.value)
    assert SECRET not in str(raised.value)
    PaymanClient.from_env(client_id="a", client_secret="b").close()
