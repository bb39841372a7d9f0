"""A gate in front of a real S3 server: it counts requests by what S3 bills, and can be out of order for a while."""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

# As S3 names them in its bill; a HEAD is billed like a GET, and a DELETE is free.
BILLED_AS_PUT = ("PUT", "COPY", "POST", "LIST")


class Gate:
    """Where it listens, what it has let through, and whether it is out of order."""

    def __init__(self, behind: str) -> None:
        self.behind = urlsplit(behind).netloc
        self.requests: Counter[str] = Counter()
        self.refused = 0
        self.refuses_until = 0.0
        self.refuses_only = ""  # methods, such as PUT
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def refuse_for(self, seconds: float) -> None:
        """Answer 503 from now on for so long."""
        self.refuses_until = time.monotonic() + seconds

    def serve(self) -> None:
        """Serve until `close`."""
        self._server.serve_forever(0.05)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(gate) -> type[BaseHTTPRequestHandler]:  # noqa: N805, `self` is the handler's below
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if time.monotonic() < gate.refuses_until:
                    gate.refused += 1
                    self.answer(503, [], b"<Error><Code>SlowDown</Code></Error>")
                    return
                gate.requests[_kind(self.command, self.path, self.headers.get("x-amz-copy-source"))] += 1
                there = http.client.HTTPConnection(gate.behind, timeout=60)
                try:
                    there.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                    for name, value in self.headers.items():
                        if name.lower() not in ("connection", "expect"):
                            there.putheader(name, value)
                    there.endheaders(body)
                    answer = there.getresponse()
                    content = answer.read()
                except OSError:
                    self.close_connection = True
                    return
                finally:
                    there.close()
                self.answer(answer.status, answer.getheaders(), content)

            def answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
                self.send_response_only(status)
                told = {name.lower() for name, _ in headers}
                for name, value in headers:
                    if name.lower() not in ("connection", "transfer-encoding"):
                        self.send_header(name, value)
                if "content-length" not in told:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
            setattr(Handler, f"do_{method}", Handler.pass_on)
        return Handler


def _kind(method: str, path: str, copies: str | None) -> str:
    place = urlsplit(path)
    query = parse_qs(place.query, keep_blank_values=True)
    if method == "PUT" and copies:
        return "COPY"
    if method == "GET" and (query.keys() & {"list-type", "prefix", "uploads", "uploadId"}):
        return "LIST"
    if method == "POST" and "delete" in query:
        return "DELETE"
    return method


@contextmanager
def gate_before(endpoint: str) -> Iterator[Gate]:
    """A gate before this server while the block runs."""
    gate = Gate(endpoint)
    thread = threading.Thread(target=gate.serve, daemon=True)
    thread.start()
    try:
        yield gate
    finally:
        gate.close()
        thread.join(10)
