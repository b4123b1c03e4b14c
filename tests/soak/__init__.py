"""Payouts of many workers while workers and their database are killed and the network fails: `scripts/soak`."""
