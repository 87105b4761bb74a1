"""Brings exported objects onto green: orders, transforms, plans, applies idle, starts, waits, verifies.

It takes raw objects and a cluster, writes only to that cluster, forces and deletes only what carries our mark, and
never shows a Secret's value.
"""
