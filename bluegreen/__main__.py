"""`python -m bluegreen`: the same as the `bluegreen` command."""

from bluegreen.cli.main import run

if __name__ == "__main__":
    run()
