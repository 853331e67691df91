# SPDX-License-Identifier: Apache-2.0
"""Tokens that are used once: the client of `jtiguard serve`, for programs of Python 3.9 and later.

Nothing is admitted but by a whole answer of the service to this very question. A replay, a refusal, a service that
is gone, that is too late or that cannot be understood: the call raises Refused.
"""

import base64
import hashlib
import http.client
import json
import os
import re
import socket as sockets
import ssl
import threading
import time
import urllib.parse
import uuid

__all__ = ["Admission", "AsgiOnce", "Decision", "Guard", "Refused", "WsgiOnce", "within"]

DEADLINE_S = 2.0
TRIES = 4
PAUSE_S = 0.01  # before the third try; then twice that
ANSWER_BYTES = 16 * 1024 * 1024
UNSETTLED = frozenset(("outcome_unknown", "too_few_replicas"))  # what asking again with the same owner settles
STATUS_OF = {"admitted": (200,), "replayed": (409,), "refused": (422, 503)}


class Refused(Exception):
    """Why nobody was let in.

    result: 'replayed' or 'refused'. reason: a name of the service's, or 'unreachable', 'unreadable', 'unauthorized'.
    trouble: it says nothing about what was shown, for the guard could not answer. With owner the same may be asked
    again.
    """

    def __init__(self, result, reason, text=None, owner=None, reservation=None, trouble=False):
        super().__init__(f"{result}: {text or reason}")
        self.result = result
        self.reason = reason
        self.owner = owner
        self.reservation = reservation
        self.trouble = trouble

    @property
    def replayed(self):
        return self.result == "replayed"


class Admission:
    """A first use: for how long it is remembered, and what gives it back."""

    def __init__(self, ttl_ms, reservation, owner):
        self.ttl_ms = ttl_ms
        self.reservation = reservation
        self.owner = owner


class Decision:
    """What was said of one of many. It is true for a first use and for nothing else."""

    def __init__(self, result, reason, owner, reservation=None, text=None, ttl_ms=None):
        self.result = result
        self.reason = reason
        self.owner = owner
        self.reservation = reservation
        self.text = text
        self.ttl_ms = ttl_ms

    @property
    def admitted(self):
        return self.result == "admitted"

    def __bool__(self):
        return self.admitted


def within(text, limit=256):
    """A name that strangers make, within the bounds of the guard: else its digest, which no other text is named."""
    if not isinstance(text, str) or text == "":
        raise TypeError("jtiguard: a name is a text that is not empty")
    mark = "sha256:"
    lone = any(0xD800 <= ord(letter) <= 0xDFFF for letter in text)
    data = text.encode("utf-16-le", "surrogatepass") if lone else text.encode()
    if not lone and "\0" not in text and not text.startswith(mark) and len(data) <= limit:
        return text
    digest = hashlib.sha256((b"utf16" if lone else b"utf8") + data).digest()
    return mark + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _owner_in_hex(owner):
    # As the service makes it of the bytes that it is given: its answer names whose it is.
    return hashlib.sha256(b"jtiguard owner 1\0" + owner.encode()).hexdigest()[:32]


def _read_decision(value, owner):
    """One decision; None: it is none, or it is about another question."""
    if not isinstance(value, dict) or not isinstance(value.get("reason"), str):
        return None
    result, reason, reservation = value.get("result"), value["reason"], value.get("reservation")
    if result == "admitted":
        ours = reason == "admitted" and isinstance(reservation, dict) and isinstance(reservation.get("key"), str)
        if not ours or reservation.get("owner") != _owner_in_hex(owner):
            return None
    elif result not in ("replayed", "refused"):
        return None
    return Decision(result, reason, owner, reservation, value.get("text"), value.get("ttl_ms"))


def _read_many(value, tokens):
    owners = [token["owner"] for token in tokens]
    if isinstance(value, dict) and value.get("result") == "refused":
        made = [_read_decision(value, owner) for owner in owners]
    else:
        results = value.get("results") if isinstance(value, dict) else None
        if not isinstance(results, list) or len(results) != len(owners):
            return None
        made = [_read_decision(one, owner) for one, owner in zip(results, owners)]
    return None if None in made else made


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = sockets.socket(sockets.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class _Unanswered(Exception):
    pass


class Guard:
    """The guard: over its unix socket, or over the network with a secret. Any thread may use it, and a child of
    fork(): each thread of each process has a connection of its own, which it keeps."""

    def __init__(self, socket=None, *, url=None, secret=None, deadline_s=DEADLINE_S, context=None):
        if (socket is None) == (url is None):
            raise TypeError("jtiguard: one of socket and url")
        if not 0 < deadline_s <= 60:
            raise ValueError("jtiguard: deadline_s is above 0 and at most 60")
        if secret is not None and not re.fullmatch(r"[\x21-\x7e]+", secret):
            raise ValueError("jtiguard: a secret is visible ASCII")
        self.deadline_s = deadline_s
        self._socket = socket
        self._url = urllib.parse.urlsplit(url) if url is not None else None
        if self._url is not None and self._url.scheme not in ("http", "https"):
            raise ValueError("jtiguard: url is http: or https:")
        self._context = context
        self._headers = {"Content-Type": "application/json"}
        if secret is not None:
            self._headers["Authorization"] = f"Bearer {secret}"
        self._mine = threading.local()

    # ---- questions ----

    def reserve(self, **claims):
        """The Admission of a first use of what has these claims (those of /v1/reserve). Everything else raises
        Refused."""
        owner = claims.get("owner") or str(uuid.uuid4())
        body = {**{name: value for name, value in claims.items() if value is not None}, "owner": owner}
        decision, status = self._settle("/v1/reserve", body, lambda value: _read_decision(value, owner))
        if decision is None or status not in STATUS_OF[decision.result]:
            raise self._unanswered(status, owner)
        if not decision.admitted:
            raise Refused(decision.result, decision.reason, decision.text, owner, decision.reservation, status == 503)
        return Admission(decision.ttl_ms, decision.reservation, owner)

    def is_first_use(self, **claims):
        """The same as a bool: False for whatever else, and when nobody could say."""
        try:
            self.reserve(**claims)
            return True
        except Refused:
            return False

    def admit_many(self, many):
        """A Decision for each, in their order."""
        tokens = [{**claims, "owner": claims.get("owner") or str(uuid.uuid4())} for claims in many]
        if not tokens:
            return []
        decisions, status = self._settle("/v1/check", {"tokens": tokens}, lambda value: _read_many(value, tokens))
        if decisions is not None and status in (200, 409, 422, 503):
            return decisions
        wrong = self._unanswered(status, None)
        return [Decision("refused", wrong.reason, token["owner"], None, str(wrong)) for token in tokens]

    def release(self, reservation):
        """Give a reservation back, after a failure that is certain and your own. Whether it was. It is asked once, for
        a copy that arrives late could end a later use of the same owner."""
        body = json.dumps({"reservation": {"key": reservation["key"], "owner": reservation["owner"]}})
        self._drop()  # a connection that stood idle may be gone
        try:
            status, value = self._ask("/v1/release", body, time.monotonic() + self.deadline_s)
        except _Unanswered:
            raise self._unanswered(None, None) from None
        released = value.get("released") if isinstance(value, dict) else None
        if (status, released) in ((200, True), (409, False)):
            return released
        reason = value.get("reason") if isinstance(value, dict) else None
        raise self._unanswered(status, None, reason if isinstance(reason, str) else None)

    def close(self):
        """End this thread's connection."""
        self._drop()

    # ---- until it is settled, or the time is up ----

    def _settle(self, path, body, read):
        text = json.dumps(body)  # in ASCII: each letter has one spelling
        until = time.monotonic() + self.deadline_s
        last = (None, None)
        for tries in range(TRIES):
            left = until - time.monotonic()
            if left <= 0:
                break
            if tries > 1:
                time.sleep(min(PAUSE_S * 2 ** (tries - 2), left))
            # A try leaves half of the time to those behind it.
            end = until if tries == TRIES - 1 else time.monotonic() + left / 2
            try:
                status, value = self._ask(path, text, min(end, until))
            except _Unanswered:
                continue
            made = read(value)
            last = (made, status)
            settled = status // 100 == 4 if made is None else not self._is_unsettled(made)
            if settled:
                break
        return last

    @staticmethod
    def _is_unsettled(made):
        decisions = made if isinstance(made, list) else [made]
        return any(not one.admitted and one.reason in UNSETTLED for one in decisions)

    def _ask(self, path, body, until):
        """One question: its status and what its JSON says. Whatever goes wrong ends the connection, so that no later
        question can be given this one's answer."""
        prefix = self._url.path.rstrip("/") if self._url is not None else ""
        try:
            connection = self._connection(max(until - time.monotonic(), 0.001))
            connection.request("POST", prefix + path, body.encode("ascii"), self._headers)
            answer = connection.getresponse()
            if answer.length is None and not answer.chunked:
                raise _Unanswered  # an answer whose length is not told
            data = answer.read(ANSWER_BYTES + 1)
            if len(data) > ANSWER_BYTES or time.monotonic() > until or not answer.isclosed():
                raise _Unanswered
            value = json.loads(data) if data else None
        except json.JSONDecodeError:
            return answer.status, None
        except (OSError, ValueError, http.client.HTTPException, RecursionError) as error:
            self._drop()
            raise _Unanswered from error
        except BaseException:
            self._drop()
            raise
        return answer.status, value

    def _connection(self, timeout):
        mine = self._mine
        if getattr(mine, "pid", None) != os.getpid():
            self._drop()
            mine.connection = self._open(timeout)
            mine.pid = os.getpid()
        mine.connection.timeout = timeout
        if mine.connection.sock is not None:
            mine.connection.sock.settimeout(timeout)
        return mine.connection

    def _open(self, timeout):
        if self._socket is not None:
            return _UnixConnection(self._socket, timeout)
        port = self._url.port
        if self._url.scheme == "https":
            context = self._context or ssl.create_default_context()
            return http.client.HTTPSConnection(self._url.hostname, port, timeout=timeout, context=context)
        return http.client.HTTPConnection(self._url.hostname, port, timeout=timeout)

    def _drop(self):
        connection = getattr(self._mine, "connection", None)
        self._mine.connection = None
        self._mine.pid = None
        if connection is not None:
            connection.close()

    @staticmethod
    def _unanswered(status, owner, said=None):
        reason = said or ("unreachable" if status is None else "unauthorized" if status == 401 else "unreadable")
        return Refused("refused", reason, None, owner, None, True)


# ---- in front of an application ----

def _answer_to(error):
    if error.trouble:
        return "503 Service Unavailable", [("Retry-After", "1")], b'{"error":"temporarily_unavailable"}'
    challenge = 'Bearer error="invalid_token", error_description="the token was used before, or is none that can be"'
    return "401 Unauthorized", [("WWW-Authenticate", challenge)], b'{"error":"invalid_token"}'


class WsgiOnce:
    """WSGI (Flask, Django): app runs for a first use and for nothing else. claims(environ): of what a verifier before
    it has left there."""

    def __init__(self, app, guard, claims):
        self._app, self._guard, self._claims = app, guard, claims

    def __call__(self, environ, start_response):
        try:
            environ["jtiguard"] = self._guard.reserve(**self._claims(environ))
        except Refused as error:
            status, headers, body = _answer_to(error)
            start_response(status, [*headers, ("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
            return [body]
        return self._app(environ, start_response)


class AsgiOnce:
    """ASGI (Starlette, FastAPI): the same for HTTP requests. The question is asked in a thread."""

    def __init__(self, app, guard, claims):
        self._app, self._guard, self._claims = app, guard, claims

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        import asyncio

        claims = self._claims(scope)
        loop = asyncio.get_running_loop()
        try:
            scope["jtiguard"] = await loop.run_in_executor(None, lambda: self._guard.reserve(**claims))
        except Refused as error:
            await self._refuse(scope, send, error)
            return
        await self._app(scope, receive, send)

    @staticmethod
    async def _refuse(scope, send, error):
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        status, headers, body = _answer_to(error)
        lines = [(name.lower().encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": int(status[:3]), "headers": [*lines, (b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})
