"""A real Prometheus on loopback that scrapes one page of counters, which a test writes."""

import subprocess
import threading
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
    """Prometheus and the page that it scrapes."""

    def __init__(self, directory: Path) -> None:
        self.good, self.bad = {"blue": 0, "green": 0}, {"blue": 0, "green": 0}
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
                lines = [f'hits{{side="{s}",code="200"}} {n}' for s, n in rig.good.items()]
                lines += [f'hits{{side="{s}",code="500"}} {n}' for s, n in rig.bad.items()]
                body = ("\n".join(lines) + "\n").encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.end_headers()
                self.wfile.write(body)

        return Handler

    def seen(self) -> int:
        """Return the requests that Prometheus knows of, -1 for none of its series."""
        with httpx.Client(trust_env=False, timeout=2) as client:
            try:
                url = f"http://127.0.0.1:{self.port}/api/v1/query"
                rows = client.get(url, params={"query": "sum(hits)"}).json()["data"]["result"]
            except (httpx.HTTPError, ValueError, KeyError):
                return -1
        return int(rows[0]["value"][1]) if rows else -1

    def count(self, side: str, *, good: int, bad: int) -> None:
        """Let users meet answers, and wait until they are scraped."""
        self.good[side] += good
        self.bad[side] += bad
        whole = sum(self.good.values()) + sum(self.bad.values())
        wait_until(lambda: self.seen() == whole)

    def open_probe(self, **more):
        queries = {"all": 'sum(hits{side="$side"})', "bad": 'sum(hits{side="$side",code=~"5.."})'}
        return open_probe("p", {"url": f"http://127.0.0.1:{self.port}", **queries, **more})

    def close(self) -> None:
        self.process.kill()
        self.process.wait(5)
        self.page.shutdown()
        self.page.server_close()
