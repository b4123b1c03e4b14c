"""What the pages show: a transaction in, plain data out. Templates decide nothing."""
