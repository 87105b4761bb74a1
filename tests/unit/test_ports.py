"""Ports for servers that are told theirs: nobody else gets one between the look and the listening."""

import subprocess
import sys

import pytest

from scenarios import ports


def test_a_port_is_given_once(monkeypatch):
    port = ports.free_port()
    monkeypatch.setattr(ports, "_FIRST", port)
    monkeypatch.setattr(ports, "_LAST", port)
    with pytest.raises(OSError, match="no free port"):
        ports.free_port()


def test_another_process_does_not_get_it_either_until_this_one_forgets_it():
    port = ports.free_port()
    asks = f"from scenarios import ports; ports._FIRST = ports._LAST = {port}; print(ports.free_port())"

    def other():
        return subprocess.run([sys.executable, "-c", asks], check=False, capture_output=True, text=True)

    refused = other()
    assert refused.returncode
    assert "no free port" in refused.stderr
    for _ in range(ports._CLAIMS.maxlen):
        ports.free_port()
    assert other().stdout == f"{port}\n"


def test_a_port_somebody_listens_on_is_none(monkeypatch):
    with ports.socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(ports, "_FIRST", server.getsockname()[1])
        monkeypatch.setattr(ports, "_LAST", server.getsockname()[1])
        with pytest.raises(OSError, match="no free port"):
            ports.free_port()
