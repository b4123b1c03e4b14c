"""The operations tagged oauth."""
