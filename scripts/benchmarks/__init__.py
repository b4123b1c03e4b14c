"""What the SDK costs, measured side by side with others. `scripts/bench` runs it; it prints tables and asserts nothing."""
