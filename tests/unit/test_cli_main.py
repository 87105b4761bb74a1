"""The command line's promises: quick help, documented exit codes, errors that say what to type next."""

import base64
import contextlib
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

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
        "import os, sys\nos._exit = sys.exit\nsys.argv = ['bluegreen', *sys.argv[1:]]\n"
        "from bluegreen.cli.main import run\n"
        "try: run()\nexcept SystemExit as e: assert e.code == 0, e.code\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=True)

    assert done.stderr.strip() == "[]"


def test_command_help_loads_no_room_below():
    code = (
        "import os, sys\nos._exit = sys.exit\nsys.argv = ['bluegreen', 'migrate', '--help']\n"
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


@pytest.fixture
def silent(tmp_path):
    """The environment of a kubeconfig with a client's key, for a server that takes connections and never answers."""
    pair = (
        "-nodes",
        "-newkey",
        "rsa:2048",
        "-keyout",
        "user.key",
        "-out",
        "user.crt",
        "-subj",
        "/CN=user",
        "-days",
        "1",
    )
    subprocess.run(["openssl", "req", "-x509", *pair], cwd=tmp_path, check=True, capture_output=True)
    key, certificate = (base64.b64encode((tmp_path / f"user.{end}").read_bytes()).decode() for end in ("key", "crt"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
            "clusters": [{"name": "c", "cluster": {"server": f"https://127.0.0.1:{server.getsockname()[1]}"}}],
            "users": [{"name": "c", "user": {"client-certificate-data": certificate, "client-key-data": key}}],
        }
        (tmp_path / "config").write_text(json.dumps(content))
        (tmp_path / "token").write_text("t")
        (tmp_path / "tmp").mkdir()
        server.settimeout(60)
        yield server, {"KUBECONFIG": str(tmp_path / "config"), "TMPDIR": str(tmp_path / "tmp"), "PATH": "/usr/bin:/bin"}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("by_client", [False, True])
def test_a_signal_ends_it_at_once_and_no_key_was_on_a_disk(silent, tmp_path, number, code, by_client):
    server, env = silent
    keys = tmp_path / "tmp"
    if by_client:  # it knows what a token's file is
        config = json.loads((tmp_path / "config").read_text())
        config["users"][0]["user"]["tokenFile"] = str(tmp_path / "token")
        (tmp_path / "config").write_text(json.dumps(config))
    # What runs in a shell's background inherits that SIGINT is ignored.
    python = ("env", "--default-signal", sys.executable)
    command = [*python, "-m", "bluegreen", "export", "--from", "c", "-n", "shop", "-o", str(tmp_path / "b")]
    with (
        subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process,
        contextlib.closing(server.accept()[0]),  # by now the key was read
    ):
        assert list(keys.iterdir()) == []
        process.send_signal(number)
        _, said = process.communicate(timeout=60)

    assert process.returncode == code
    assert said.strip() == "Stopped."
    assert list(keys.iterdir()) == []
    assert not (tmp_path / "b").exists()


def test_stopped_in_the_middle_of_writes_it_says_how_to_go_on():
    code = (
        "from bluegreen.cli import import_, main\n"
        "@main.main.command('x')\n"
        "def x():\n"
        "    with import_.writing(): raise KeyboardInterrupt\n"
        "main.LazyGroup.resolve_command = lambda self, ctx, args: ('x', x, [])\n"
        "import sys; sys.argv = ['bluegreen', 'x']; main.run()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 130
    assert "Run the same command again" in done.stderr


def ended(program, **kwargs):
    """Return how a process ended that runs a program around the entry point."""
    words = [sys.executable, "-c", f"import atexit, os, signal, sys, threading, time\n{program}"]
    return subprocess.run(words, stderr=subprocess.PIPE, text=True, check=False, timeout=60, **kwargs)


MAIN = "from bluegreen.cli import main\n"
VERSION = "sys.argv = ['bluegreen', 'version']; main.run()"


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_library_s_own_error_about_a_signal_is_the_signal(name, code):
    """Libraries in other languages make an error of their own of the KeyboardInterrupt that they meet."""
    left = ended(
        f"{MAIN}"
        "class PanicError(BaseException): pass\n"
        "@main.main.command('x')\n"
        "def x():\n"
        f"    try: os.kill(os.getpid(), signal.{name})\n"
        "    except KeyboardInterrupt: raise PanicError from None\n"
        "main.LazyGroup.resolve_command = lambda self, ctx, args: ('x', x, [])\n"
        "sys.argv = ['bluegreen', 'x']; main.run()"
    )
    assert (left.returncode, left.stderr) == (code, "Stopped.\n")


READS_ON = "from bluegreen.importer.ahead import begin\nbegin(lambda: time.sleep(3600))\n"
IS_WAITED_FOR = "threading.Thread(target=lambda: (time.sleep(0.2), sys.stderr.write('done'))).start()\n"


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (f"{READS_ON}atexit.register(sys.stderr.write, 'cleaned up')\n", "cleaned up"),
        (IS_WAITED_FOR, "done"),
        ("atexit.register(os.kill, os.getpid(), signal.SIGINT)\n", ""),
        ("os.close(1); sys.stdout = None\n", ""),
    ],
    ids=["a thread reads on", "a thread is waited for", "a signal when all is done", "nowhere to write"],
)
def test_a_process_ends_as_the_interpreter_ends_one(before, said):
    left = ended(f"{MAIN}{before}{VERSION}", stdout=subprocess.DEVNULL)
    assert (left.returncode, left.stderr) == (0, said)


def test_what_could_not_be_written_at_the_end_is_told():
    with Path("/dev/full").open("w") as full:
        left = ended(f"{MAIN}sys.stdout.write('all of it')\nmain._leave(0)", stdout=full)
    assert left.returncode != 0
    assert "No space left on device" in left.stderr


def test_what_the_system_refuses_is_told_without_a_trace():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "bluegreen", "adapters", "list", "-o", "json"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )

    assert done.returncode == 1
    assert done.stderr.startswith("Error: the system refused: No space left on device [system.ENOSPC]")


@pytest.mark.parametrize("target", [".", "", "gone/plan.json"])
@pytest.mark.parametrize("command", [("plan", "--out"), ("init", "-o")])
def test_a_target_that_cannot_be_written_is_refused_before_any_work(tmp_path, command, target):
    name, flag = command
    done = bluegreen(name, "--from", "a", "--to", "b", "-n", "shop", flag, target, cwd=tmp_path)

    assert done.returncode == 2
    assert "[file.target]" in done.stderr
    assert "Next: name a file in a directory" in done.stderr


def test_a_plan_that_is_not_there_is_bad_input(tmp_path):
    done = bluegreen("apply", "gone.json", cwd=tmp_path)

    assert done.returncode == 2
    assert "No such file" in done.stderr


def test_ctrl_c_while_modules_load_ends_it_without_a_trace(tmp_path):
    (tmp_path / "click.py").write_text("import time\nprint('loads', flush=True)\ntime.sleep(60)\n")
    command = [sys.executable, "-m", "bluegreen", "version"]
    slow = subprocess.Popen(
        command, env={"PYTHONPATH": str(tmp_path)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert slow.stdout.readline() == "loads\n"
    slow.send_signal(signal.SIGINT)
    _, said = slow.communicate(timeout=30)

    assert (slow.returncode, said) == (-signal.SIGINT, "")
