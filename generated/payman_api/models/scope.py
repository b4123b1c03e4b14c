from enum import StrEnum


class Scope(StrEnum):
    """What a token allows."""

    READ_BALANCE = "read_balance"
    READ_LIST_PAYEES = "read_list_payees"
    READ_LIST_TRANSACTIONS = "read_list_transactions"
    READ_LIST_WALLETS = "read_list_wallets"
    WRITE_CREATE_PAYEE = "write_create_payee"
    WRITE_CREATE_WALLET = "write_create_wallet"
    WRITE_SEND_PAYMENT = "write_send_payment"
