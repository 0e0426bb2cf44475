"""Fetching one file: https only, resumed where it broke off, and under its name only when it is verified."""

import time
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from socket import gaierror
from ssl import SSLCertVerificationError
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from glauke.errors import CannotGoOnError

from ._durable import disk_errors, fsync_file, fsync_folder, require_space
from ._durable import sha256 as sha256_of

_STALL_SECONDS = 30.0  # without a single byte; slow mirrors pause for some seconds, dead ones for ever
_ATTEMPTS = 5
_PAUSE_SECONDS = 1.0  # before the second attempt; doubles each time: 15 s in all
_PIECE_BYTES = 256 * 1024
_MAY_PASS = {408, 425, 429, 500, 502, 503, 504}  # RFC 9110 and 6585: answers that invite another attempt
_FIX = "check the connection and start again, or fetch it elsewhere and name the file with --source"


class _CutError(Exception):
    """The transfer broke off for a reason that may pass; the next attempt continues it."""


def download(
    url: str,
    target: Path,
    *,
    num_bytes: int | None,
    sha256: str | None,
    watch: Callable[[int, int | None], None] | None = None,
) -> Path:
    """Fetch `url` to `target` and return `target`; a file there that has this `sha256` already is kept.

    Until it is verified the file is called `target` + ".part". A broken transfer is continued, also by a
    later call, if there is a `sha256` to prove that both halves belong together; else it begins anew.
    Redirects may not lead away from https. Two processes must not fetch to the same target at once.

    Args:
        url: An https address.
        target: Its folder is made if need be; a file there that is something else is replaced.
        num_bytes: The size it must have; None if unknown.
        sha256: Hexadecimal digits that its content must have; None if unknown.
        watch: Called with the bytes so far and the bytes in all (None if the server does not say).

    Raises:
        CannotGoOnError: no network, or the server refuses, stalls, or sends something else.
        DiskFullError: no room.
    """
    return _fetch(url, target, num_bytes=num_bytes, sha256=sha256, watch=watch)


def _fetch(
    url: str,
    target: Path,
    *,
    num_bytes: int | None,
    sha256: str | None,
    watch: Callable[[int, int | None], None] | None = None,
    schemes: tuple[str, ...] = ("https",),
    stall_seconds: float = _STALL_SECONDS,
    pause_seconds: float = _PAUSE_SECONDS,
) -> Path:
    """`download` with what only tests change: a local server has no certificate, and nobody waits for it."""
    _check_scheme(url, schemes)
    if sha256 and target.is_file() and not _difference(target, num_bytes, sha256):
        return target
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    opener = _opener(schemes)
    for attempt in range(_ATTEMPTS):
        if not sha256:
            part.unlink(missing_ok=True)
        begun, last = _size(part) > 0, attempt == _ATTEMPTS - 1
        try:
            _transfer(opener, url, part, num_bytes=num_bytes, watch=watch, stall_seconds=stall_seconds)
        except _CutError as error:
            if last:
                raise CannotGoOnError(f"{error}, {_ATTEMPTS} times", place=url, fix=_FIX) from error
            time.sleep(pause_seconds * 2**attempt)
            continue
        difference = _difference(part, num_bytes, sha256)
        if not difference:
            break
        part.unlink()
        if last or not begun:  # else the fault may lie in the old half: begin anew
            raise CannotGoOnError(f"what came is not the file: {difference}", place=url, fix=_FIX)
    with disk_errors(target):
        fsync_file(part)
        part.replace(target)
        fsync_folder(target.parent)
    return target


def _transfer(
    opener: OpenerDirector,
    url: str,
    part: Path,
    *,
    num_bytes: int | None,
    watch: Callable[[int, int | None], None] | None,
    stall_seconds: float,
) -> None:
    """Bring `part` to its full length; on `_CutError` what came so far stays."""
    begin = _size(part)
    if num_bytes is not None and begin >= num_bytes:
        if begin == num_bytes:
            return
        part.unlink()
        begin = 0
    with _answer(opener, url, part, begin=begin, stall_seconds=stall_seconds) as response:
        if response.status != 206:  # the server knows no ranges, and sends the file from its first byte
            begin = 0
        total = None if response.length is None else begin + response.length
        if None not in (num_bytes, total) and total != num_bytes:
            reason = f"the server offers {total:,} bytes where {num_bytes:,} are expected"
            raise CannotGoOnError(reason, place=url, fix=_FIX)
        require_space(part.parent, (total or num_bytes or 0) - begin)
        done = begin
        with disk_errors(part), part.open("ab" if begin else "wb") as file:
            while total is None or done < total:
                if not (data := _received(response)):
                    break
                done += len(data)
                if num_bytes is not None and done > num_bytes:
                    reason = f"the server sends more than the {num_bytes:,} bytes expected"
                    raise CannotGoOnError(reason, place=url, fix=_FIX)
                file.write(data)
                if watch:
                    watch(done, total or num_bytes)
    if done < (total or 0):
        raise _CutError(f"the connection broke off after {done:,} of {total:,} bytes")


def _answer(opener: OpenerDirector, url: str, part: Path, *, begin: int, stall_seconds: float) -> HTTPResponse:
    """The server's answer, of which the body is still to be read; 206 only if it begins at `begin`."""
    host = urlsplit(url).hostname
    try:
        response = opener.open(_request(url, begin), timeout=stall_seconds)
    except HTTPError as error:
        error.close()
        if error.code == 416:  # our part is longer than their file
            part.unlink(missing_ok=True)
        if error.code in _MAY_PASS or (error.code == 416 and begin):
            raise _CutError(f"{host} answers {error.code} {error.reason}") from error
        reason = error.reason.split("\n")[0]  # urllib explains loops of redirects in several lines
        raise CannotGoOnError(f"{host} answers {error.code} {reason}", place=url, fix=_FIX) from error
    except (OSError, HTTPException) as error:  # URLError is an OSError
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, SSLCertVerificationError):
            message = f"{host} cannot prove who it is ({reason.verify_message})"
            raise CannotGoOnError(message, place=url, fix=_FIX) from error
        if isinstance(reason, gaierror):  # offline: nobody should wait for five attempts
            message = f"there is no network, or no server called {host} ({_said(reason)})"
            raise CannotGoOnError(message, place=url, fix=_FIX) from error
        raise _CutError(f"{host} cannot be reached ({_said(reason)})") from error
    content_range = response.headers.get("Content-Range", "")
    if response.status == 206 and not content_range.startswith(f"bytes {begin}-"):
        response.close()
        part.unlink(missing_ok=True)
        raise _CutError(f"{host} sends {content_range!r} where bytes from {begin:,} were asked for")
    return response


def _request(url: str, begin: int) -> Request:
    headers = {"User-Agent": "glauke", "Accept-Encoding": "identity"}
    return Request(url, headers=headers | ({"Range": f"bytes={begin}-"} if begin else {}))


def _received(response: HTTPResponse) -> bytes:
    try:
        return response.read1(_PIECE_BYTES)
    except (OSError, HTTPException) as error:
        raise _CutError(f"the connection broke off ({_said(error)})") from error


def _opener(schemes: tuple[str, ...]) -> OpenerDirector:
    class SameScheme(HTTPRedirectHandler):
        def redirect_request(self, req, fp, code, msg, headers, newurl):
            try:
                _check_scheme(newurl, schemes)
            except CannotGoOnError:
                fp.close()
                raise
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    return build_opener(SameScheme)


def _check_scheme(url: str, schemes: tuple[str, ...]) -> None:
    if urlsplit(url).scheme not in schemes:
        raise CannotGoOnError(f"only {' or '.join(schemes)} is fetched", place=url, fix=_FIX)


def _difference(path: Path, num_bytes: int | None, sha256: str | None) -> str | None:
    """In which way `path` is not the file that was asked for; None if it is."""
    size = _size(path)
    if num_bytes is not None and size != num_bytes:
        return f"it has {size:,} bytes where {num_bytes:,} are expected"
    if sha256 and (found := sha256_of(path)) != sha256.lower():
        return f"its SHA-256 is {found} where {sha256.lower()} is expected"
    return None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _said(error: object) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
