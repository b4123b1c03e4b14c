"""The operations tagged balances."""
