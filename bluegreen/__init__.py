"""bluegreen moves the workloads of one Kubernetes cluster to another while users keep being served.

This package root holds the version and nothing else; it must never import a room, or `--help` becomes slow.
"""

__version__ = "0.1.0"
