"""The annotations of ours that the exporter reads or sets.

The importer names the same ones in its own room (rooms do not import each other); a unit test holds the two equal.
"""

PREFIX = "bluegreen.io/"
VOLUME = PREFIX + "volume"
"""On a claim: its data is brought over by the volume mover, the importer leaves the claim to it."""
VOLUME_MOVED = "moved"
OWNERS = PREFIX + "owners"
"""JSON list of owners without UID, to be linked again once they exist on green."""
MIGRATION = PREFIX + "migration"
WAS_REPLICAS = PREFIX + "was-replicas"
WAS_SUSPENDED = PREFIX + "was-suspended"
