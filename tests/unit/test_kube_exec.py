"""The websocket of a command in a pod: it goes where all other requests go, and trusts and shows the same."""

from dataclasses import replace
from pathlib import Path

import pytest
from kubernetes.stream import ws_client
from websocket._url import get_proxy_info

from bluegreen.kube.calls import Call
from bluegreen.kube.exec import _configuration, _HandshakeError, _open
from bluegreen.kube.settings import Settings

EXEC = Call("GET", "/api/v1/namespaces/shop/pods/p/exec", "running", "create pods/exec")
PLAIN = Settings("https://api.example:6443/k8s/c-1/", lambda: "Bearer t", server_name="inner.example")
FOREIGN = "http://user:word@proxy.env:3128"


@pytest.fixture
def opened(monkeypatch):
    """Return what the websocket is opened with for settings: its TLS options, its address, and the other options."""
    seen = []

    class Socket:
        def __init__(self, sslopt, **_):
            seen.append(sslopt)

        def connect(self, url, **options):
            seen.extend((url, options))
            raise OSError

    def opened_with(settings):
        monkeypatch.setattr(ws_client, "WebSocket", Socket)
        with pytest.raises(_HandshakeError):
            _open(_configuration(settings), EXEC, {"authorization": "Bearer t"}, "c", ("true",))
        return seen

    return opened_with


def test_certificates_name_and_token_are_those_of_all_requests(opened):
    given = replace(PLAIN, authorities=b"ours", certificate="/path/of/crt", key=b"secret")

    tls, url, options = opened(given)

    assert Path(tls["ca_certs"]).read_bytes() == b"ours"
    assert Path(tls["keyfile"]).read_bytes() == b"secret"
    assert (tls["certfile"], tls["server_hostname"]) == ("/path/of/crt", "inner.example")
    assert url.startswith("wss://api.example:6443/k8s/c-1/api/v1/namespaces/shop/pods/p/exec?container=c&command=true&")
    assert "authorization: Bearer t" in options["header"]


@pytest.mark.parametrize(
    ("settings", "checked"),
    [
        (PLAIN, (2, None)),
        (replace(PLAIN, verify_name=False), (2, False)),
        (replace(PLAIN, verify=False), (0, None)),
    ],
)
def test_the_server_is_looked_at_as_the_kubeconfig_says(opened, settings, checked):
    tls = opened(settings)[0]

    assert (int(tls["cert_reqs"]), tls.get("check_hostname")) == checked


@pytest.mark.parametrize("exceptions", ["", "api.example", "api.example:6443", "*", "example"])
@pytest.mark.parametrize(("proxy", "host"), [("", None), ("http://proxy.example:8080", "proxy.example")])
def test_the_proxy_is_the_one_of_all_requests_whatever_the_environment_says(
    opened, monkeypatch, proxy, host, exceptions
):
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, FOREIGN)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, exceptions)

    _, _, options = opened(replace(PLAIN, proxy=proxy))

    asked = {key.removeprefix("http_"): value for key, value in options.items() if key != "header"}
    assert get_proxy_info("api.example", True, **asked)[0] == host  # noqa: FBT003 - as the library calls it
