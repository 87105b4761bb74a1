"""A caching resolver of the users' own: unbound on loopback, with a configuration that caches as the TTL says.

It must never keep an answer longer than its TTL, nor serve an expired one: the TTL is what is measured.
"""

import subprocess
import time
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode

UNBOUND = "/usr/sbin/unbound"
_START_SECONDS = 10.0

CONFIG = """
server:
    interface: 127.0.0.1@{port}
    access-control: 127.0.0.0/8 allow
    do-not-query-localhost: no
    do-ip6: no
    num-threads: 1
    directory: "{dir}"
    chroot: ""
    username: ""
    pidfile: "{dir}/unbound.pid"
    logfile: "{dir}/unbound.log"
    use-syslog: no
    module-config: "iterator"
    local-zone: "test." nodefault
    cache-min-ttl: 0
    prefetch: no
    serve-expired: no
    target-fetch-policy: "0 0 0 0 0"
forward-zone:
    name: "shop.test."
    forward-addr: 127.0.0.1@{authority}
remote-control:
    control-enable: no
"""


class Resolver:
    """Unbound in a directory, in front of one name server.

    Args:
        directory: where its files go.
        port: its own port.
        authority: the name server's port.
        name: asked until it answers.
    """

    def __init__(self, directory: Path, port: int, authority: int, name: str) -> None:
        self.port = port
        config = directory / "unbound.conf"
        config.write_text(CONFIG.format(dir=directory, port=port, authority=authority))
        self._process = subprocess.Popen([UNBOUND, "-d", "-c", str(config)], stdin=subprocess.DEVNULL)
        end = time.monotonic() + _START_SECONDS
        while not self._answers(name):
            if self._process.poll() is not None or time.monotonic() > end:
                self.close()
                raise RuntimeError(f"unbound does not answer: see {directory}/unbound.log")
            time.sleep(0.05)

    def _answers(self, name: str) -> bool:
        try:
            answer = dns.query.udp(dns.message.make_query(name, "A"), "127.0.0.1", 0.5, self.port)
        except (OSError, dns.exception.DNSException):
            return False
        return answer.rcode() == dns.rcode.NOERROR and bool(answer.answer)

    def close(self) -> None:
        """End it."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(10)
