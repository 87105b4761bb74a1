"""Findings before anything moves: severity, object, reason, what to do.

It reads objects and clusters and never writes.
"""
