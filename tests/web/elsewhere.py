"""Another website, which links to our pages and posts to them from its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@contextmanager
def elsewhere(page: str) -> Iterator[str]:
    """A page on another site than ours at 127.0.0.1; its address.

    Another port would be the same site to a browser, another name is not.
    """

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"<!DOCTYPE html><meta charset=utf-8><title>x</title>{page}".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
