"""Contexts in plain values: read as the Kubernetes client reads them, without it, and with no key on another disk."""

import base64
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.kube.by_client import settings_by_client
from bluegreen.kube.kubeconfig import is_plain
from bluegreen.kube.plain import plain_settings
from bluegreen.kube.settings import Material, Settings

PEM = b"-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"


def data(text: bytes) -> str:
    return base64.b64encode(text).decode()


def plain(cluster: dict[str, Any], user: dict[str, Any], env: dict[str, str] | None = None) -> Settings | None:
    return plain_settings(cluster, user, env or {})


SERVER = {"server": "https://api.example:6443"}


def kubeconfig(folder: Path, cluster: dict[str, Any], user: dict[str, Any]) -> str:
    """Write a kubeconfig with one context, here, and return its path."""
    config = {
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
    }
    (folder / "config").write_text(yaml.safe_dump(config))
    return str(folder / "config")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("plain")
    for name in ("ca", "crt", "key"):
        (made / name).write_bytes(PEM + name.encode())
    return made


def held(folder: Path, key: str, name: str) -> st.SearchStrategy[dict[str, str]]:
    """Return the ways in which an entry can hold one certificate or key: not at all, inside, in a file, or both."""
    inside, file = {f"{key}-data": data(PEM + b"inside")}, {key: str(folder / name)}
    return st.sampled_from([{}, inside, file, inside | file])


def content(what: Material) -> bytes | None:
    return Path(what).read_bytes() if isinstance(what, str) else what


@given(st.data())
def test_they_are_read_as_the_client_reads_them(folder, draw):
    cluster = (
        draw.draw(st.sampled_from([SERVER, {"server": "http://127.0.0.1:1/k8s/c-1/"}]))
        | draw.draw(held(folder, "certificate-authority", "ca"))
        | draw.draw(st.sampled_from([{}, {"tls-server-name": "other.example"}, {"insecure-skip-tls-verify": True}]))
    )
    ours = draw.draw(held(folder, "client-certificate", "crt"))
    user = (
        ours
        | (draw.draw(held(folder, "client-key", "key").filter(bool)) if ours else {})
        | draw.draw(st.sampled_from([{}, {"token": "t-1"}]))
    )
    paths = kubeconfig(folder, cluster, user)

    mine = plain(cluster, user)
    theirs = settings_by_client("here", {"name": "u", "user": user}, paths)

    assert mine is not None
    assert mine.server.rstrip("/") == theirs.server.rstrip("/")
    assert mine.authorization() == theirs.authorization()
    assert (mine.server_name, mine.verify, mine.proxy) == (theirs.server_name, theirs.verify, theirs.proxy)
    for name in ("authorities", "certificate", "key"):
        if cluster["server"].startswith("https") and (name != "authorities" or mine.verify):
            assert content(getattr(mine, name)) == content(getattr(theirs, name))


@pytest.mark.parametrize(
    ("cluster", "user"),
    [
        ({"proxy-url": "http://proxy.example"}, {}),
        ({"certificate-authority": "relative.crt"}, {}),
        ({"certificate-authority": "/no/such/file"}, {}),
        ({"certificate-authority-data": "no base64"}, {}),
        ({"certificate-authority-data": data(b"no PEM")}, {}),
        ({"insecure-skip-tls-verify": "true"}, {}),
        ({"server": ""}, {}),
        ({"server": "HTTPS://api.example"}, {}),
        ({"server": "api.example:6443"}, {}),
        ({"certificate-authority-data": "", "certificate-authority": "/dev/null"}, {}),
        ({"certificate-authority": None}, {}),
        ({"certificate-authority": f"/{'x' * 300}"}, {}),
        ({"tls-server-name": ""}, {}),
        ({}, {"token": None}),
        ({"server": 1}, {}),
        ({"invented-tomorrow": "x"}, {}),
        ({}, {"tokenFile": "/token"}),
        ({}, {"exec": {"command": "aws"}}),
        ({}, {"auth-provider": {"name": "oidc"}}),
        ({}, {"username": "u", "password": "p"}),
        ({}, {"as": "admin"}),
        ({}, {"token": 1}),
        ({}, {"client-certificate-data": data(PEM)}),
    ],
)
def test_what_is_not_plain_is_left_to_the_client(cluster, user):
    assert plain(SERVER | cluster, user) is None


def test_entries_that_are_no_maps_and_proxies_are_left_to_the_client():
    assert plain_settings(None, {}, {}) is None
    assert plain_settings(SERVER, None, {}) is None
    assert plain(SERVER, {}, {"https_proxy": "http://proxy.example"}) is None
    assert plain(SERVER, {}, {"https_proxy": ""}) is not None


def test_nothing_secret_is_shown():
    settings = plain(SERVER, {"token": "canary", "client-certificate-data": data(PEM), "client-key-data": data(PEM)})

    assert settings is not None
    assert settings.key == PEM
    assert "canary" not in repr(settings)
    assert "BEGIN" not in repr(settings)


def test_the_client_is_not_loaded_for_them(tmp_path):
    paths = kubeconfig(tmp_path, SERVER, {"token": "t"})
    program = (
        "import sys; from bluegreen.kube.http import Connection\n"
        f"assert Connection.of_context('here', {paths!r}).server == 'https://api.example:6443'\n"
        "assert 'kubernetes' not in sys.modules and 'pydantic' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", program], check=True, env={"PATH": "/usr/bin:/bin"})


PLUGIN = """\
import json
pem = "-----BEGIN CERTIFICATE-----\\nplugin\\n-----END CERTIFICATE-----\\n"
status = {"clientCertificateData": pem, "clientKeyData": pem.replace("plugin", "secret")}
print(json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}))
"""


@pytest.mark.parametrize("by", ["kubeconfig", "credential command"])
def test_the_client_writes_no_key_to_a_disk_either(tmp_path, monkeypatch, by):
    disk = tmp_path / "disk"
    disk.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    (tmp_path / "plugin.py").write_text(PLUGIN)
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": sys.executable, "interactiveMode": "Never"}
    user = {
        "kubeconfig": {"client-certificate-data": data(PEM), "client-key-data": data(PEM + b"secret")},
        "credential command": {"exec": plugin | {"args": [str(tmp_path / "plugin.py")]}},
    }[by]
    paths = kubeconfig(tmp_path, SERVER | {"certificate-authority-data": data(PEM)}, user)

    settings = settings_by_client("here", {"name": "u", "user": user}, paths)

    assert b"secret" in (content(settings.key) or b"")
    assert content(settings.authorities) == PEM
    assert list(disk.iterdir()) == []


@pytest.mark.parametrize(
    ("cluster", "user", "expected"),
    [
        ({"certificate-authority-data": data(PEM)}, {"token": "t"}, True),
        ({}, {"token": "t"}, False),
        ({"certificate-authority-data": data(PEM)}, {"exec": {"command": "sh", "apiVersion": "v1"}}, False),
        ({"certificate-authority-data": data(PEM)}, {"tokenFile": "/tmp/token"}, False),
    ],
)
def test_only_what_runs_no_program_and_names_its_authorities_is_plain(tmp_path, monkeypatch, cluster, user, expected):
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    path = kubeconfig(tmp_path, {**SERVER, **cluster}, user)
    assert is_plain("here", path) is expected
    assert not is_plain("nobody", path)
    assert not is_plain("here", str(tmp_path / "none"))
