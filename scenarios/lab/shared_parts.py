"""What serves both clusters: the S3 server of Velero and the HAProxy in front of the users.

Both run in the machine's own network and listen on loopback or the lab's own addresses only.
"""

import http.client
import socket

from scenarios.lab.build import program
from scenarios.lab.layout import (
    CLUSTERS,
    NEW,
    OLD,
    S3_BUCKET,
    S3_PASSWORD,
    S3_PORT,
    S3_USER,
    SHOP_NODE_PORT,
    SHOP_PORT,
    haproxy_socket,
    lab,
    shared,
)  # fmt: skip
from scenarios.lab.processes import Part
from scenarios.lab.state import write_atomically

HAPROXY_CONFIG = """global
    log stdout format raw local0 notice
    maxconn 4096
    stats socket {socket} mode 600 level admin

defaults
    mode http
    log global
    option dontlognull
    timeout connect 1s
    timeout client 30s
    timeout server 10s
    timeout http-request 10s
    timeout http-keep-alive 10s
    # A user must see each failure of a cluster: nothing is retried and nothing is sent to the other side instead.
    retries 0
    no option redispatch
    http-reuse safe

frontend shop
    bind 127.0.0.1:{port}
    default_backend shop

backend shop
    balance roundrobin
    # no `check`: a server taken out by HAProxy itself would look like a weight that nobody set
    server blue {blue}:{node_port} weight 100
    server green {green}:{node_port} weight 0
"""


def s3() -> Part:
    """Return the S3 server: files below the lab, one address per cluster."""
    root = lab() / "s3"
    (root / S3_BUCKET).mkdir(parents=True, exist_ok=True)  # a directory is a bucket
    argv = [str(program("s3", "versitygw")), "--quiet"]
    for cluster in CLUSTERS:
        argv += ["--port", f"{cluster.host_ip}:{S3_PORT}"]
    argv += ["--health", "/health", "posix", str(root)]
    return Part("s3", argv, None, {"ROOT_ACCESS_KEY": S3_USER, "ROOT_SECRET_KEY": S3_PASSWORD})


def s3_ready() -> str:
    """Return why the S3 server does not answer on every address, "" when it does."""
    for cluster in CLUSTERS:
        try:
            connection = http.client.HTTPConnection(cluster.host_ip, S3_PORT, timeout=2)
            connection.request("GET", "/health")
            status = connection.getresponse().status
            connection.close()
        except OSError as error:
            return f"{cluster.host_ip}:{S3_PORT}: {error}"
        if status != http.client.OK:
            return f"{cluster.host_ip}:{S3_PORT}: HTTP {status}"
    return ""


def haproxy() -> Part:
    """Write HAProxy's file and return how to start it."""
    config = lab() / "haproxy" / "haproxy.cfg"
    text = HAPROXY_CONFIG.format(
        socket=haproxy_socket(), port=SHOP_PORT, node_port=SHOP_NODE_PORT, blue=OLD.node_ip, green=NEW.node_ip,
    )  # fmt: skip
    write_atomically(config, text)
    shared("log").mkdir(parents=True, exist_ok=True)
    return Part("haproxy", ["/usr/sbin/haproxy", "-db", "-f", str(config)], None, configs=[config])


def haproxy_command(command: str) -> str:
    """Send one command to HAProxy's runtime socket and return the answer."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(3)
        connection.connect(str(haproxy_socket()))
        connection.sendall(f"{command}\n".encode())
        answer = b""
        while block := connection.recv(65536):
            answer += block
    return answer.decode()


def haproxy_ready() -> str:
    """Return why HAProxy does not answer on its socket, "" when it does."""
    try:
        answer = haproxy_command("get weight shop/blue")
    except OSError as error:
        return str(error)
    return "" if "initial" in answer else f"unexpected answer {answer!r}"
