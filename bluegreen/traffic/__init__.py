"""Moving users: steps, weights, and what to do next after each verdict.

It must never know a router's or a probe's kind, and never send green more than the gate has earned (law 1).
"""
