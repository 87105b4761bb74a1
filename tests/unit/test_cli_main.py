"""The command line's promises: quick help, documented exit codes, errors that say what to type next."""

import subprocess
import sys

import pytest

from bluegreen.cli.main import COMMANDS, main

HEAVY = ("kubernetes", "boto3", "pydantic", "dbos", "httpx", "rich", "sqlalchemy")


def bluegreen(*args, **kwargs):
    return subprocess.run(
        [sys.executable, "-m", "bluegreen", *args], capture_output=True, text=True, check=False, timeout=60, **kwargs
    )


@pytest.mark.parametrize("args", [["--help"], ["-h"], ["--version"]])
def test_help_loads_nothing_heavy(args):
    code = (
        "import sys\nsys.argv = ['bluegreen', *sys.argv[1:]]\n"
        "from bluegreen.cli.main import run\n"
        "try: run()\nexcept SystemExit as e: assert e.code == 0, e.code\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=True)

    assert done.stderr.strip() == "[]"


def test_command_help_loads_no_room_below():
    code = (
        "import sys\nsys.argv = ['bluegreen', 'migrate', '--help']\n"
        "from bluegreen.cli.main import run\n"
        "try: run()\nexcept SystemExit: pass\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stderr.strip() == "[]"


def test_every_command_in_the_table_exists():
    for name in COMMANDS:
        assert main.get_command(None, name).name == name


def test_unknown_command_suggests_the_nearest():
    done = bluegreen("migrat")

    assert done.returncode == 2
    assert "Did you mean 'migrate'?" in done.stderr


def test_unknown_flag_is_a_usage_error():
    done = bluegreen("migrate", "--form", "old")

    assert done.returncode == 2
    assert "--from" in done.stderr


def test_no_configuration_says_what_to_write(tmp_path):
    done = bluegreen("migrate", "--from", "old", "--to", "new", cwd=tmp_path)

    assert done.returncode == 2
    assert "routes" in done.stderr
    assert "Traceback" not in done.stderr


def test_empty_namespace_is_refused(tmp_path):
    done = bluegreen("migrate", "-n", "", cwd=tmp_path)

    assert done.returncode == 2
    assert "empty name" in done.stderr


def test_closed_pipe_gives_no_trace():
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m bluegreen --help | head -1; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Traceback" not in done.stderr


def test_broken_adapter_is_a_state():
    done = bluegreen("adapters", "list", "-o", "json")

    assert done.returncode == 0
    assert '"name": "haproxy"' in done.stdout
