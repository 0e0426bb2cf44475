"""Downloads from a local server that misbehaves as told; plain http through the private door."""

import hashlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from glauke.errors import CannotGoOnError, DiskFullError
from glauke.files import download
from glauke.files._download import _fetch

CONTENT = bytes(range(256)) * 400
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SIZE = len(CONTENT)


class Server(ThreadingHTTPServer):
    """Answers each request by the next of `answers`, the last for ever; `ranges` says what was asked for."""

    daemon_threads = True
    answers: list[Callable]
    ranges: list[str | None]

    def handle_error(self, request, client_address):
        pass  # clients that hang up are part of the test


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        self.server.ranges.append(self.headers["Range"])
        answers = self.server.answers
        (answers.pop(0) if len(answers) > 1 else answers[0])(self)

    def log_message(self, *args):
        pass

    def begin(self):
        asked = self.headers["Range"]
        return int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0

    def head(self, status, length=None, **headers):
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()


def good(handler):
    begin = handler.begin()
    if begin >= SIZE:
        handler.head(416, 0)
        return
    span = {"Content_Range": f"bytes {begin}-{SIZE - 1}/{SIZE}"} if begin else {}
    handler.head(206 if begin else 200, SIZE - begin, **span)
    handler.wfile.write(CONTENT[begin:])


def cut_after(num_bytes):
    def answer(handler):
        begin = handler.begin()
        span = {"Content_Range": f"bytes {begin}-{SIZE - 1}/{SIZE}"} if begin else {}
        handler.head(206 if begin else 200, SIZE - begin, **span)
        handler.wfile.write(CONTENT[begin : begin + num_bytes])

    return answer


def no_ranges(handler):
    handler.head(200, SIZE)
    handler.wfile.write(CONTENT)


def sends(data, status=200, length=True, **headers):
    def answer(handler):
        handler.head(status, len(data) if length else None, **headers)
        handler.wfile.write(data)

    return answer


def stalls(handler):
    handler.head(200, SIZE)
    handler.wfile.write(CONTENT[:1000])
    handler.wfile.flush()
    handler.server.released.wait(10)


@pytest.fixture
def server():
    with Server(("127.0.0.1", 0), Handler) as server:
        server.answers, server.ranges, server.released = [good], [], threading.Event()
        server.url = f"http://127.0.0.1:{server.server_address[1]}/set.tar.xz"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


def fetch(server, target, *, num_bytes=SIZE, sha256=SHA256, stall_seconds=5.0, **options):
    return _fetch(
        server.url,
        target,
        num_bytes=num_bytes,
        sha256=sha256,
        schemes=("http",),
        stall_seconds=stall_seconds,
        pause_seconds=0.0,
        **options,
    )


@pytest.fixture
def target(tmp_path):
    return tmp_path / "data" / "set.tar.xz"


def names(target):
    return sorted(path.name for path in target.parent.iterdir())


def test_a_file_is_fetched_and_progress_told(server, target):
    seen = []

    assert fetch(server, target, watch=lambda done, total: seen.append((done, total))) == target

    assert target.read_bytes() == CONTENT
    assert names(target) == ["set.tar.xz"]
    assert seen == sorted(seen)
    assert seen[-1] == (SIZE, SIZE)


def test_a_file_that_is_there_and_right_is_not_fetched_again(server, target):
    fetch(server, target)
    fetch(server, target)
    assert len(server.ranges) == 1

    target.write_bytes(b"damaged")
    fetch(server, target)
    assert len(server.ranges) == 2
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("offset", [0, 1, 1000, SIZE // 2, SIZE - 1])
def test_a_cut_connection_is_continued(server, target, offset):
    server.answers = [cut_after(offset), good]

    fetch(server, target)

    assert target.read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={offset}-" if offset else None]


def test_a_connection_cut_again_and_again_is_continued_by_the_next_call(server, target):
    server.answers = [cut_after(1000)]

    with pytest.raises(CannotGoOnError, match=r"broke off after 5,000 of 102,400 bytes, 5 times"):
        fetch(server, target)
    assert names(target) == ["set.tar.xz.part"]

    server.answers = [good]
    fetch(server, target)
    assert server.ranges[-1] == "bytes=5000-"
    assert target.read_bytes() == CONTENT
    assert names(target) == ["set.tar.xz"]


def test_without_a_hash_nothing_is_continued(server, target):
    server.answers = [cut_after(1000), good]
    target.parent.mkdir()
    target.with_name("set.tar.xz.part").write_bytes(b"of another day")

    fetch(server, target, sha256=None)

    assert server.ranges == [None, None]
    assert target.read_bytes() == CONTENT


def test_a_server_without_ranges_begins_anew(server, target):
    server.answers = [cut_after(1000), no_ranges]

    fetch(server, target)

    assert server.ranges == [None, "bytes=1000-"]
    assert target.read_bytes() == CONTENT


def test_another_range_than_asked_for_is_not_appended(server, target):
    server.answers = [cut_after(1000), sends(CONTENT, 206, Content_Range=f"bytes 0-{SIZE - 1}/{SIZE}"), good]

    fetch(server, target)

    assert server.ranges == [None, "bytes=1000-", None]
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("rest", [b"\0" * 5000, b"\0" * SIZE, b"\0" * (SIZE + 5)])
def test_a_part_from_another_file_is_found_out_and_fetched_anew(server, target, rest):
    target.parent.mkdir()
    target.with_name("set.tar.xz.part").write_bytes(rest)

    fetch(server, target)

    assert target.read_bytes() == CONTENT
    assert names(target) == ["set.tar.xz"]


def test_a_last_attempt_that_ends_wrong_says_so(server, target):
    server.answers = [*[cut_after(1000)] * 4, sends(b"x" * SIZE)]

    with pytest.raises(CannotGoOnError, match="what came is not the file"):
        fetch(server, target)
    assert names(target) == []


def test_a_part_longer_than_the_file_of_unknown_size(server, target):
    target.parent.mkdir()
    target.with_name("set.tar.xz.part").write_bytes(b"\0" * (SIZE + 5))

    fetch(server, target, num_bytes=None)

    assert server.ranges == [f"bytes={SIZE + 5}-", None]
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("answer", "options", "message"),
    [
        (sends(b"<html>Not found</html>"), {}, "offers 22 bytes where 102,400 are expected"),
        (sends(b"<html>Not found</html>"), {"num_bytes": None}, "what came is not the file: its SHA-256 is"),
        (sends(b"x" * SIZE), {}, f"where {SHA256} is expected"),
        (sends(CONTENT + b"x"), {}, "offers 102,401 bytes"),
        (sends(CONTENT + b"x", length=False), {}, "sends more than the 102,400 bytes"),
        (sends(CONTENT[:-1], length=False), {}, "it has 102,399 bytes where 102,400 are expected"),
        (sends(CONTENT[:-1], length=False), {"sha256": None}, "it has 102,399 bytes"),
        (sends(b"", 404), {}, "127.0.0.1 answers 404 Not Found"),
        (sends(b"", 403), {}, "127.0.0.1 answers 403 Forbidden"),
        (sends(b"", 503), {}, "127.0.0.1 answers 503 Service Unavailable, 5 times"),
        (sends(b"", 302, Location="ftp://127.0.0.1/a"), {}, "ftp://127.0.0.1/a: only http is fetched"),
        (sends(b"", 301, Location="file:///etc/passwd"), {}, "Redirection to url 'file:///etc/passwd' is not allowed"),
        (sends(b"", 301, Location="/loop"), {}, "answers 301"),
    ],
)
def test_what_is_not_the_file_never_gets_its_name(server, target, answer, options, message):
    server.answers = [answer]

    with pytest.raises(CannotGoOnError) as caught:
        fetch(server, target, **options)

    assert message in str(caught.value)
    assert "--source" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not target.exists()


def test_a_redirect_to_the_same_scheme_is_followed(server, target):
    server.answers = [sends(b"", 302, Location="/elsewhere"), good]

    fetch(server, target)

    assert target.read_bytes() == CONTENT


def test_a_file_of_unknown_length_is_fetched(server, target):
    server.answers = [sends(CONTENT, length=False)]
    seen = []

    fetch(server, target, num_bytes=None, watch=lambda done, total: seen.append(total))

    assert target.read_bytes() == CONTENT
    assert set(seen) == {None}


def test_a_server_that_answers_once_and_then_never_is_given_up(server, target):
    server.answers = [stalls]

    with pytest.raises(CannotGoOnError, match=r"the connection broke off \(no answer in time\), 5 times"):
        fetch(server, target, stall_seconds=0.1)
    assert target.with_name("set.tar.xz.part").stat().st_size == 1000


def test_a_server_that_is_gone_is_a_sentence(target):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/a"

    with pytest.raises(CannotGoOnError, match=r"127.0.0.1 cannot be reached \(Connection refused\), 5 times"):
        _fetch(url, target, num_bytes=None, sha256=None, schemes=("http",), pause_seconds=0.0)


def test_without_a_network_nobody_waits(target, monkeypatch):
    def offline(*args, **kwargs):
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", offline)
    monkeypatch.setattr("glauke.files._download.time.sleep", lambda seconds: pytest.fail("waits"))

    with pytest.raises(CannotGoOnError, match=r"no network, or no server called example.org \(Temporary"):
        download("https://example.org/a.zip", target, num_bytes=None, sha256=None)


def test_a_full_disk_is_noticed_before_the_first_byte(server, target, monkeypatch):
    class Usage:
        free = 1000

    monkeypatch.setattr("glauke.files._durable.shutil.disk_usage", lambda path: Usage)

    with pytest.raises(DiskFullError, match="102,400 bytes are needed and 1,000 are free"):
        fetch(server, target)
    assert names(target) == []


@pytest.mark.parametrize("url", ["http://example.org/a", "file:///etc/passwd", "ftp://x/a", "a.zip", ""])
def test_the_public_door_takes_only_https(target, url):
    with pytest.raises(CannotGoOnError, match="only https is fetched"):
        download(url, target, num_bytes=None, sha256=None)
    assert not target.parent.exists()


@contextmanager
def https_server(folder):
    """A server with a certificate that it signed itself."""
    try:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
             "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
            check=True, capture_output=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the openssl command to make a certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    with Server(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.answers, server.ranges, server.released = [good], [], threading.Event()
        server.url = f"https://localhost:{server.server_address[1]}/set.tar.xz"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_https_needs_a_certificate_that_can_be_trusted(tmp_path, target, monkeypatch):
    with https_server(tmp_path) as server:
        with pytest.raises(CannotGoOnError, match=r"localhost cannot prove who it is \(self"):
            download(server.url, target, num_bytes=SIZE, sha256=SHA256)
        assert server.ranges == []

        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        assert download(server.url, target, num_bytes=SIZE, sha256=SHA256).read_bytes() == CONTENT

        server.answers = [sends(b"", 302, Location="http://localhost/a")]
        target.unlink()
        with pytest.raises(CannotGoOnError, match="http://localhost/a: only https is fetched"):
            download(server.url, target, num_bytes=SIZE, sha256=SHA256)
    assert not target.exists()
