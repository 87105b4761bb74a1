"""`python -m bluegreen`: the same as the `bluegreen` command."""

from bluegreen.cli.start import run

if __name__ == "__main__":
    run()
