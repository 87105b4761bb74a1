"""A real Prometheus on loopback that scrapes one page of counters, which a test writes."""

import subprocess
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from rig_http import free_port, wait_until

from bluegreen_adapters.prometheus_probe import open_probe

PROMETHEUS = "/usr/bin/prometheus"
CONFIG = """
scrape_configs:
- job_name: shop
  scrape_interval: 100ms
  scrape_timeout: 100ms
  static_configs: [{{targets: ['127.0.0.1:{port}']}}]
"""


class PrometheusRig:
    """Prometheus and the page that it scrapes.

    Args:
        directory: where its files go.
        hidden: series that are not on the page at first, as side and code.
    """

    def __init__(self, directory: Path, hidden: Iterable[tuple[str, str]] = ()) -> None:
        self.good, self.bad = {"blue": 0, "green": 0}, {"blue": 0, "green": 0}
        self.hidden = set(hidden)
        self.page = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self.page.serve_forever, args=(0.02,), daemon=True).start()
        (directory / "prometheus.yml").write_text(CONFIG.format(port=self.page.server_address[1]))
        self.port = free_port()
        config, data = f"--config.file={directory}/prometheus.yml", f"--storage.tsdb.path={directory}/data"
        log = (directory / "log").open("ab")
        command = [PROMETHEUS, config, data, f"--web.listen-address=127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until(lambda: self.seen() == 0, 15)

    def _handler(rig):  # noqa: N805 - the handler below has a self of its own
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args):
                """Say nothing."""

            def do_GET(self):
                body = rig.text().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.end_headers()
                self.wfile.write(body)

        return Handler

    def text(self) -> str:
        """Return the page; a series that is hidden is not there, as before a library's first error."""
        rows = [(s, code, n) for code, of in (("200", self.good), ("500", self.bad)) for s, n in of.items()]
        return "".join(f'hits{{side="{s}",code="{c}"}} {n}\n' for s, c, n in rows if (s, c) not in self.hidden)

    def hide(self, *series: tuple[str, str]) -> None:
        """Let the page have all series but these, as side and code, and wait until that is scraped."""
        self.hidden = set(series)
        wait_until(lambda: self.ask("count(hits)") == 4 - len(self.hidden))

    def ask(self, query: str) -> float:
        """Return the one number of a query, -1 where there is none."""
        with httpx.Client(trust_env=False, timeout=2) as client:
            try:
                url = f"http://127.0.0.1:{self.port}/api/v1/query"
                rows = client.get(url, params={"query": query}).json()["data"]["result"]
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
        """End Prometheus; harmless when it has ended."""
        self.process.kill()
        self.process.wait(5)

    def close(self) -> None:
        self.stop()
        self.page.shutdown()
        self.page.server_close()
