"""How fast traffic goes back, and that none is lost on the way out: `make bench-traffic`."""
