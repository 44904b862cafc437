"""A module a service: its typed answer."""
