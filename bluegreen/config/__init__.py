"""What the user wants, read from flags, environment and bluegreen.yaml into one frozen value.

It must never open a connection, never hold a Secret's value, and never fill a gap that only a person may fill.
"""
