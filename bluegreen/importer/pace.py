"""How many applies an import has under way at a time; a server that has enough says so by 429, which is heeded."""

AT_A_TIME = 24
"""Half of what a default API server grants the priority level global-default (some 49 of its 600 requests in flight;
source: the suggested configuration of API priority and fairness). The server's store writes what comes together as one,
and others of that level are still served."""
