"""What decides, without input and output, clocks or threads."""
