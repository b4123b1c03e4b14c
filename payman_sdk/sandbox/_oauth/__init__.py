"""The sandbox's OAuth server."""
