"""One module per real thing: routers, probes, movers, each behind a port of bluegreen.model and nothing else."""
