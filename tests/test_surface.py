from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from scripts.surface.history import baseline
from tests.small_package import changed, check, committed, write
from tests.small_package import release as release
from tests.tables import table

pytestmark = pytest.mark.slow


ROOT = Path(__file__).parents[1]

BREAKING = [
    ('"PaymanClient", ', "", "payman_sdk.PaymanClient: is gone"),
    ("def ask(", "def tell(", "payman_sdk.PaymanClient.ask: is gone"),
    ("def shared(", "def _shared(", "payman_sdk.PaymanClient.shared: is gone"),
    (
        "-> int | None: ...",
        "-> int | None | str: ...",
        "shared: returned int | None, returns int | None | str",
    ),
    ("def ask(", "async def ask(", "ask: was a def, is an async def"),
    ("text: str, options:", "prompt: str, options:", "ask: the parameter text is gone"),
    (
        "options: str | None = None, *",
        "options: str | None, *",
        "the parameter options has no default any more",
    ),
    (
        "options: str | None = None, *",
        "*, options: str | None = None",
        "options can only be given by name now",
    ),
    ("text: str, options: str | None = None", "options: str, text: str", "text has moved from place 1 to 2"),
    ("*, raw: bool = False)", "*, raw: bool)", "the parameter raw has no default any more"),
    ("*, raw: bool = False)", "*, raw: bool = False, key: str)", "the new parameter key has to be given"),
    (", *, raw: bool = False)", ")", "the parameter raw is gone"),
    ("options: str | None", "options: str", "the parameter options took str | None, takes str"),
    ("raw: Literal[True]) -> dict", "raw: Literal[True]) -> list", "reply: returned dict, returns list"),
    ("*parts: str, **rest: int", "**rest: int", "*parts is gone"),
    ("*parts: str, **rest: int", "*parts: str", "**rest is gone"),
    ("*parts: str, **rest: int", "first: str = '', *parts: str, **rest: int", "takes what went to *parts"),
    ("self, given: str, /", "self", "place: the parameter given is gone"),
    ('_Shared["httpx.Client"]', '_Shared["Other"]', "took httpx.Client | None, takes Other | None"),
    (
        "    limit: int = 3\n",
        "    @property\n    def limit(self) -> int: ...\n",
        "limit: can only be read now",
    ),
    ("limit: int", "limit: str", "limit: was int, is str"),
    ("def text(self) -> str | None", "def text(self) -> str | int", "text: was str | None, is str | int"),
    ("__enter__", "__exit__", "payman_sdk.PaymanClient.__enter__: is gone"),
    (
        "def login(port: int = 0)",
        "def login(port: int)",
        "payman_sdk.login: the parameter port has no default",
    ),
    (
        "def load(self) -> str: ...",
        "def load(self) -> str: ...\n    def lock(self) -> str: ...",
        "classes that users",
    ),
    (
        "(PaymanError, TimeoutError)",
        "(PaymanError)",
        "payman_sdk.errors.TimedOut: no longer derives from TimeoutError",
    ),
    (
        "(PaymanError, TimeoutError)",
        "(_Trait, TimeoutError)",
        "no longer derives from payman_sdk.PaymanError",
    ),
    ("(_Trait)", "(BaseException)", "payman_sdk.PaymanError: no longer derives from Exception"),
    ("self.message = message", "self._message = message", "payman_sdk.PaymanError.message: is gone"),
    ('OPEN = "open"', 'OPEN = "opened"', "payman_sdk.State.OPEN: was 'open', is 'opened'"),
    ('OPEN = "open"', 'OPENED = "open"', "payman_sdk.State.OPEN: is gone"),
    ('Literal["a", "b"]', 'Literal["a"]', "payman_sdk.types.Status: was Literal['a', 'b'], is Literal['a']"),
    ("timeout: float", "deadline: float", "payman_sdk.Config.timeout: is gone"),
    ("name: str", "name: int", "payman_sdk.Config.name: was str, is int"),
    ("access: str", "access: NotRequired[str]", "payman_sdk.types.Token.access: need not be there any more"),
    ("refresh: NotRequired[str]", "refresh: str", "payman_sdk.types.Token.refresh: has to be given now"),
    (
        "access: str",
        "access: str\n    scope: str",
        "payman_sdk.types.Token.scope: is new and has to be given",
    ),
    ("amount: int", "sum: int", "payman_sdk.sandbox.Payment.amount: is gone"),
    ('memo: str = ""', "memo: str", "payman_sdk.sandbox.Payment.__init__: the parameter memo has no default"),
    (
        "default=None, kw_only",
        "kw_only",
        "payman_sdk.sandbox.Kept.__init__: the parameter note has no default",
    ),
    (
        "    key: str\n",
        "    key: str = field(kw_only=True)\n",
        "the parameter key can only be given by name now",
    ),
    ("def payman_sandbox", "def sandbox", "payman_sdk.testing.plugin.payman_sandbox: is gone"),
    (
        "class State(StrEnum)",
        "State = str\nclass Old(StrEnum)",
        "payman_sdk.State: was an enum, is a constant",
    ),
]
HARMLESS = [
    ('"Config", "PaymanClient"', '"Config", "More", "PaymanClient"\n]\nMore = 1\n__all__ += ["More"'),
    ("*, raw: bool = False)", "*, raw: bool = False, key: str | None = None)"),
    ("options: str | None = None, *", "options: str | None = None, more: int = 0, *"),
    ("text: str, options: str | None", "text: str | bytes, options: str | None"),
    ("text: str, options: str | None", "text, options: object"),
    (") -> str | None: ...", ") -> str: ..."),
    ("raw: bool = False) -> str | None", "raw: bool = True) -> str | None"),
    ("self, given: str, /", "self, named: str, /"),
    ("def _private(self)", "def _secret(self)"),
    ("    @property\n    def text(self) -> str | None: ...", "    text: str | None = None"),
    ("def text(self) -> str | None", "def text(self) -> str"),
    (
        "class PaymanClient(_Shared",
        "class Between(dict[str, Http], _Shared[Http]): ...\nclass PaymanClient(Between",
    ),
    (
        'State\n__version__ = "2.0.0"\n__all__ = [',
        'State, Token\n__version__ = "2.1.0"\n__all__ = ["Token", ',
    ),
    (
        "def __init__(self, message: str) -> None:",
        "late: bool = False\n    def __init__(self, message: str) -> None:",
    ),
    ("class _Trait(Exception):", "class _Trait(ValueError):\n    extra: int = 0"),
    ('OPEN = "open"', 'OPEN = "open"\n    SHUT = "shut"'),
    ('Literal["a", "b"]', 'Literal["b", "a", "c"]'),
    ("timeout: float", "timeout: float | None\n    pause: float"),
    ("refresh: NotRequired[str]", "refresh: NotRequired[str]\n    scope: NotRequired[str]"),
    ('memo: str = ""', 'memo: str = "none"\n    note: str = ""'),
    ("def no_fixture", "def another"),
    ("class TimedOut(PaymanError,", "class Slow(PaymanError): ...\nclass TimedOut(Slow,"),
    ("self.message = message", "self.message: str = message"),
]


def test_the_record_of_this_repository_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    """tests/public_api.txt is what the code says, and what breaks is announced."""
    status, said = check(ROOT), capsys.readouterr().err
    assert status == 0, said
    assert "is not what the code says" not in said


def test_the_generated_package_has_a_record_beside_it(
    release: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name of it that changes without the record is named."""
    module = release / "generated/payman_api/client.py"
    module.parent.mkdir(parents=True)
    module.write_text("class Client:\n    def request(self, path: str) -> str: ...\n")
    assert check(release, "--record") == 0
    assert "payman_api.client.Client.request: (self, path: str) -> str" in (
        release / "tests/payman_api.txt"
    ).read_text(encoding="utf-8")
    module.write_text("class Client:\n    def send(self, path: str) -> str: ...\n")
    capsys.readouterr()
    assert check(release) == 1
    said = capsys.readouterr().err
    assert "tests/payman_api.txt is not what the code says" in said
    assert "- payman_api.client.Client.request: (self, path: str) -> str" in said


@pytest.fixture
def _release_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody commits meanwhile, so git says the same again."""
    monkeypatch.setattr("scripts.surface.__main__.baseline", cache(baseline))


@pytest.mark.usefixtures("_release_is_read_once")
@table(("old", "new", "said"), BREAKING, ids=[said for *_, said in BREAKING])
def test_what_breaks_programs_needs_a_major_version(
    release: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    """After such a change the check fails, names it, and passes once a major version is announced."""
    write(release)
    capsys.readouterr()
    changed(release, old, new)
    assert check(release, "--record") == 1
    assert said in capsys.readouterr().err
    (release / "CHANGELOG.md").write_text("## [Unreleased]: 3.0.0.dev0\n")
    assert check(release) == 0
    assert said in capsys.readouterr().out


@pytest.mark.usefixtures("_release_is_read_once")
@table(("old", "new"), HARMLESS)
def test_what_breaks_nothing_needs_no_major_version(
    release: Path, capsys: pytest.CaptureFixture[str], old: str, new: str
) -> None:
    """After such a change the check passes, and only says what it compared with, once it is recorded."""
    write(release)
    capsys.readouterr()
    changed(release, old, new)
    assert check(release, "--record") == 0, capsys.readouterr().err
    assert capsys.readouterr() == ("", "scripts.surface: compared with v2.0.0.\n")


def test_the_record_has_to_be_what_the_code_says(release: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A harmless change fails too until it is recorded; what is different is shown, and what to do."""
    changed(release, "def login(", "def logout() -> None: ...\ndef login(")
    changed(release, "*, raw: bool = False", "*, raw: bool = False, key: str = ''")
    assert check(release) == 1
    said = capsys.readouterr().err
    assert "+ payman_sdk.PaymanClient.ask: def (text: str" in said
    assert "logout" not in said
    assert "python -m scripts.surface --record" in said
    assert check(release, "--record") == check(release) == 0


def said_to_break(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.strip() for line in capsys.readouterr().err.splitlines() if line.startswith("  ")]


PLUGIN = """
_SCOPE = "payman_scope"
def pytest_addoption(parser):
    parser.addini(_SCOPE, "how long it lives", default="function")
    parser.addini("payman_sockets", "whether it listens", type="bool", default=True)
def pytest_configure(config):
    config.addinivalue_line("markers", "payman(**settings): settings of a test")
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"payman_scope"', '"payman_life"', "pytest.ini.payman_scope: is gone"),
        ('type="bool"', 'type="args"', "pytest.ini.payman_sockets: was bool, is args"),
        ("payman(**settings)", "sandbox(**settings)", "pytest.mark.payman: is gone"),
    ],
)
def test_what_the_plugin_announces_to_pytest_is_kept(
    release: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    """Settings and markers are in users' files, as names are in their code."""
    plugin = release / "payman_sdk/testing/plugin.py"
    plugin.write_text(plugin.read_text() + PLUGIN)
    assert check(release, "--record") == 0
    committed(release, "v2.0.1")
    changed(release, old, new)
    assert check(release, "--record") == 1
    assert said_to_break(capsys) == [said]


def test_a_breakage_is_said_once(release: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not for every name of a class, nor for the members of what is gone."""
    changed(release, "timeout: float", "deadline: float")
    changed(release, "class Payment:", "class Paid:")
    changed(release, '"Payment"', '"Paid"')
    assert check(release, "--record") == 1
    assert said_to_break(capsys) == [
        "payman_sdk.Config.timeout: is gone",
        "payman_sdk.sandbox.Payment: is gone",
    ]


def test_what_a_name_is_recorded_under_may_change(release: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is left out at one place is gone there; at another, where it is still, its members are compared."""
    changed(release, '["Config", "PaymanClient"', '["PaymanClient"')
    changed(release, '"PaymanError", ', "")
    changed(release, "timeout: float", "deadline: float")
    assert check(release, "--record") == 1
    assert said_to_break(capsys) == [
        "payman_sdk.Config: is gone",
        "payman_sdk.PaymanError: is gone",
        "payman_sdk.types.Config.timeout: is gone",
    ]


def test_a_member_may_move_to_a_base(release: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a public class inherits from another that is public, it has."""
    changed(release, "TimeoutError):\n    late: bool = True", "TimeoutError): ...")
    assert check(release, "--record") == 1
    assert said_to_break(capsys) == ["payman_sdk.errors.TimedOut.late: is gone"]
    changed(release, "class PaymanError(_Trait):", "class PaymanError(_Trait):\n    late: bool = True")
    assert check(release, "--record") == 0, said_to_break(capsys)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('__all__ = ["Config", ', '__all__ = ["Absent", "Config", ', "payman_sdk.Absent is announced, and is not there"),
        ("from payman_sdk.client import", "from payman_sdk.absent import", "payman_sdk.PaymanClient leads nowhere"),
    ],
)  # fmt: skip
def test_code_that_cannot_be_read_is_an_error_of_its_own(
    release: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    """A public name that leads nowhere, or no package at all, is exit status 2 and a sentence."""
    changed(release, old, new)
    assert check(release) == 2
    assert said in capsys.readouterr().err
    assert check(release / "tests") == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_package_that_is_no_python_is_an_error_of_its_own(
    release: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = release / "payman_sdk" / "__init__.py"
    file.write_text(f"{file.read_text(encoding='utf-8')}\ndef broken(:\n", encoding="utf-8")
    assert check(release) == 2
    assert "cannot be read" in capsys.readouterr().err
