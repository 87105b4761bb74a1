"""A real Prometheus on loopback that scrapes one page of counters, which a test writes."""

import atexit
import functools
import subprocess
import tempfile
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from rig_http import plain_client, wait_until

from bluegreen_adapters.prometheus_probe import open_probe
from scenarios.ports import free_port

PROMETHEUS = "/usr/bin/prometheus"
CONFIG = """
scrape_configs:
- job_name: shop
  scrape_interval: 300ms
  scrape_timeout: 300ms
  static_configs: [{{targets: ['127.0.0.1:{port}']}}]
"""


class _Page(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Say nothing of scrapes that were given up."""


class _Prometheus:
    """One Prometheus and the page that it scrapes; the page is that of the rig that has it now, or empty."""

    def __init__(self) -> None:
        self.rig: PrometheusRig | None = None
        self.page = _Page(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self.page.serve_forever, args=(0.02,), daemon=True).start()
        self.directory = tempfile.TemporaryDirectory(prefix="prometheus-", ignore_cleanup_errors=True)
        config = Path(self.directory.name) / "prometheus.yml"
        config.write_text(CONFIG.format(port=self.page.server_address[1]))
        self.port = free_port()
        files = f"--config.file={config}", f"--storage.tsdb.path={self.directory.name}/data"
        log = (Path(self.directory.name) / "log").open("ab")
        command = [PROMETHEUS, *files, f"--web.listen-address=127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(command, stdout=log, stderr=log)
        atexit.register(self.end)

    def end(self) -> None:
        """End it; harmless when it has ended."""
        atexit.unregister(self.end)
        self.process.kill()
        self.process.wait(5)
        self.page.shutdown()
        self.page.server_close()
        self.directory.cleanup()


def _handler(prometheus):
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args):
            """Say nothing."""

        def do_GET(self):
            rig = prometheus.rig
            body = rig.text().encode() if rig else b""
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write(body)

    return Handler


# It scrapes nothing in its first five seconds, so it is kept from test to test.
_running = functools.cache(_Prometheus)


class PrometheusRig:
    """The page that Prometheus scrapes, from zero.

    Args:
        hidden: series that are not on the page at first, as side and code.
        fresh: take a Prometheus that has never seen any series.
    """

    def __init__(self, hidden: Iterable[tuple[str, str]] = (), *, fresh: bool = False) -> None:
        self.good, self.bad = {"blue": 0, "green": 0}, {"blue": 0, "green": 0}
        self.hidden = set(hidden)
        self.fresh, self.prometheus = fresh, _Prometheus() if fresh else _running()
        self.client = plain_client(timeout=2)
        self.prometheus.rig = self
        wait_until(lambda: self.seen() == 0, 60)

    def text(self) -> str:
        """Return the page; a series that is hidden is not there, as before a library's first error."""
        rows = [(s, code, n) for code, of in (("200", self.good), ("500", self.bad)) for s, n in of.items()]
        return "".join(f'hits{{side="{s}",code="{c}"}} {n}\n' for s, c, n in rows if (s, c) not in self.hidden)

    def hide(self, *series: tuple[str, str]) -> None:
        """Let the page have all series but these, as side and code, and wait until that is scraped."""
        self.hidden = set(series)
        wait_until(lambda: self.ask("count(hits)") == 4 - len(self.hidden))

    @property
    def port(self) -> int:
        """Return where Prometheus answers."""
        return self.prometheus.port

    def ask(self, query: str) -> float:
        """Return the one number of a query, -1 where there is none."""
        try:
            url = f"http://127.0.0.1:{self.port}/api/v1/query"
            rows = self.client.get(url, params={"query": query}).json()["data"]["result"]
        except (httpx.HTTPError, ValueError, KeyError):
            return -1
        return float(rows[0]["value"][1]) if rows else -1

    def seen(self) -> float:
        """Return the requests that Prometheus knows of, -1 for none of its series."""
        return self.ask("sum(hits)")

    def count(self, side: str, *, good: int, bad: int) -> None:
        """Let users meet answers, and wait until they are scraped."""
        self.good[side] += good
        self.bad[side] += bad
        whole = sum(int(line.rpartition(" ")[2]) for line in self.text().splitlines())
        wait_until(lambda: self.seen() == whole)

    def open_probe(self, **more):
        queries = {"all": 'sum(hits{side="$side"})', "bad": 'sum(hits{side="$side",code=~"5.."})'}
        return open_probe("p", {"url": f"http://127.0.0.1:{self.port}", **queries, **more})

    def stop(self) -> None:
        """End Prometheus; the next rig gets a new one."""
        _running.cache_clear()
        self.prometheus.end()

    def close(self) -> None:
        """Leave an empty page, so that the next rig meets none of these series."""
        self.prometheus.rig = None
        if self.fresh:
            self.prometheus.end()
        elif self.prometheus.process.returncode is None:
            wait_until(lambda: self.seen() == -1)
        self.client.close()
