"""The command line: click commands, one file per group; the only room that prints.

It loads the other rooms only when a command runs, so that --help stays quick.
"""
