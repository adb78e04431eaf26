"""A Prometheus that asks once: ready when it has had the metrics of everything it is to scrape.

It takes the options of Prometheus that are used here, and its configuration.
"""

import json
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


def scrape(configuration: str) -> None:
    """Raise where one of the targets has no metrics."""
    for job in json.loads(Path(configuration).read_text())["scrape_configs"]:
        for target in job["static_configs"][0]["targets"]:
            with urllib.request.urlopen(f"http://{target}{job['metrics_path']}") as answer:
                assert f"# TYPE {job['job_name']}_".encode() in answer.read()


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/-/ready" else 404)
        self.end_headers()


def main() -> None:
    options = dict(word.removeprefix("--").split("=", 1) for word in sys.argv[1:])
    scrape(options["config.file"])
    host, _, port = options["web.listen-address"].rpartition(":")
    HTTPServer((host, int(port)), Pages).serve_forever()


if __name__ == "__main__":
    main()
