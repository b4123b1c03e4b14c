"""The version of the SDK; `scripts/release` compares it with pyproject.toml."""

__version__ = "2.0.0.dev0"
