"""The run: phases, the durable workflow, lock, resume and revert.

It strings the rooms below together and decides nothing that one of them can decide.
"""
