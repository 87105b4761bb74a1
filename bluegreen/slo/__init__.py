"""The judge: objectives, what was seen of both sides, and verdicts that survive being asked every second.

It must never do I/O, read a clock or know a probe's kind; samples and times come in as arguments.
"""
