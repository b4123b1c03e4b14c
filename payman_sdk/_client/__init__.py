"""What users hold: clients, conversations and streams."""
