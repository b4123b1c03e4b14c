"""The sandbox's money: accounts, payments and the ledger."""
