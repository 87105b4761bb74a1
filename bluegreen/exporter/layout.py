"""What the files of a bundle are called and how large its index may be, for who writes one and for who reads it."""

INDEX = "bluegreen-bundle.yaml"
KUSTOMIZATION = "kustomization.yaml"
SEALED = "secrets.yaml.age"
FORMAT = 2
MAX_INDEX_BYTES = 512 * 1024 * 1024
MAX_INDEX_NODES = 10_000_000
"""Some forty reports for each of two hundred thousand objects."""
