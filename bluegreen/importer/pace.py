"""How many threads an import has beside the one that sends its applies; a server that has enough says so by 429."""

AT_A_TIME = 24
"""Reads of green, and what is left to do after an apply, each waiting for the server most of the time."""
