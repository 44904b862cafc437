"""Clients for threads and coroutines, the router between them and one connection, errors, metrics."""
