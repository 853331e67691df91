# SPDX-License-Identifier: Apache-2.0
"""The client against services that fail in every way, and against the service itself (JTIGUARD: the tool)."""

import asyncio
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from jtiguard import AsgiOnce, Guard, Refused, WsgiOnce, _owner_in_hex, within  # noqa: E402

CLAIMS = {"kind": "custom", "custom_kind": "test", "jti": "1", "lifetime": 60}
REPLAYED = {"result": "replayed", "reason": "replayed", "text": "used before"}
UNKNOWN = {"result": "refused", "reason": "outcome_unknown"}


def admitted(owner):
    return {"result": "admitted", "reason": "admitted", "ttl_ms": 1000, "reservation": {"key": "k", "owner": _owner_in_hex(owner)}}


def answer(status, value):
    text = value if isinstance(value, str) else json.dumps(value)
    return lambda question: f"HTTP/1.1 {status} X\r\nContent-Length: {len(text)}\r\n\r\n{text}"


def admit(question):
    tokens = question["body"].get("tokens")
    if tokens is None:
        return answer(200, admitted(question["body"]["owner"]))(question)
    return answer(200, {"results": [admitted(token["owner"]) for token in tokens]})(question)


def hang_up(question):
    return None


class Stranger:
    """A service that says what a test has it say: the last answer for all that follow."""

    def __init__(self, test, *answers):
        self.folder = tempfile.TemporaryDirectory()
        test.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "s.sock")
        self.answers, self.questions, self.connections = list(answers), [], 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        test.addCleanup(self.listener.close)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError):  # a client that has left
            self.answer(connection)

    def answer(self, connection):
        with connection, connection.makefile("rb") as lines:
            while True:
                head = []
                while (line := lines.readline()) not in (b"", b"\r\n"):
                    head.append(line.decode().strip())
                if not head:
                    return
                length = next(int(line.split(":")[1]) for line in head if line.lower().startswith("content-length"))
                question = {"head": head, "body": json.loads(lines.read(length))}
                self.questions.append(question)
                said = (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])(question)
                if said is None:
                    return
                connection.sendall(said.encode())


class Failures(unittest.TestCase):
    def guard(self, *answers, **options):
        self.stranger = Stranger(self, *answers)
        guard = Guard(self.stranger.path, **{"deadline_s": 1.0, **options})
        self.addCleanup(guard.close)
        return guard

    def refused(self, guard, **more):
        with self.assertRaises(Refused) as caught:
            guard.reserve(**{**CLAIMS, **more})
        return caught.exception

    def test_a_first_use(self):
        admission = self.guard(admit).reserve(**CLAIMS, owner="request 7")
        self.assertEqual(admission.reservation, {"key": "k", "owner": _owner_in_hex("request 7")})
        self.assertEqual((admission.owner, admission.ttl_ms), ("request 7", 1000))
        self.assertEqual(self.stranger.questions[0]["body"], {**CLAIMS, "owner": "request 7"})

    def test_a_replay_and_a_refusal(self):
        guard = self.guard(answer(409, REPLAYED), answer(422, {"result": "refused", "reason": "expired"}))
        error = self.refused(guard)
        self.assertEqual((error.result, error.replayed, error.trouble), ("replayed", True, False))
        error = self.refused(guard)
        self.assertEqual((error.result, error.reason, error.trouble), ("refused", "expired", False))

    def test_what_admits_nobody(self):
        whole = admitted("mine")
        text = json.dumps(whole)
        for said in (
            answer(500, whole), answer(409, whole), answer(503, whole), answer(200, REPLAYED), answer(200, {**whole, "reason": "expired"}),
            answer(200, {**whole, "reservation": None}), answer(200, admitted("other")), answer(200, "true"), answer(200, "null"),
            answer(200, [whole]), answer(200, text[:-1]), answer(200, ""), answer(302, whole), lambda question: text, hang_up,
            lambda question: f"HTTP/1.1 200 OK\r\nContent-Length: {len(text) + 9}\r\n\r\n{text}",
            lambda question: f"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{text}",
        ):
            guard = self.guard(said, deadline_s=0.3)
            self.assertTrue(self.refused(guard, owner="mine").trouble, said)
            self.assertFalse(guard.is_first_use(**CLAIMS, owner="mine"))
            self.assertFalse(any(guard.admit_many([{**CLAIMS, "owner": "mine"}])))

    def test_nobody_there(self):
        error = self.refused(Guard("/nonexistent/api.sock", deadline_s=0.2))
        self.assertEqual((error.reason, error.trouble, bool(error.owner)), ("unreachable", True, True))

    def test_an_answer_that_does_not_come(self):
        silent = threading.Event()
        self.addCleanup(silent.set)
        began = time.monotonic()
        error = self.refused(self.guard(lambda question: silent.wait() and None, deadline_s=0.3))
        self.assertEqual(error.reason, "unreachable")
        self.assertLess(time.monotonic() - began, 5)

    def test_a_lost_answer_is_asked_for_again(self):
        guard = self.guard(hang_up, answer(502, "bad gateway"), answer(503, UNKNOWN), admit)
        owner = guard.reserve(**CLAIMS).owner
        self.assertEqual([question["body"]["owner"] for question in self.stranger.questions], [owner] * 4)

    def test_other_trouble_is_not(self):
        guard = self.guard(answer(503, {"result": "refused", "reason": "store_unavailable"}))
        error = self.refused(guard)
        self.assertEqual((error.reason, error.trouble, len(self.stranger.questions)), ("store_unavailable", True, 1))
        guard = self.guard(answer(401, {"error": "unauthorized"}), secret="a-secret")
        self.assertEqual((self.refused(guard).reason, len(self.stranger.questions)), ("unauthorized", 1))
        self.assertIn("Authorization: Bearer a-secret", self.stranger.questions[0]["head"])

    def test_a_connection_is_kept_and_its_end_survived(self):
        guard = self.guard(admit, admit, hang_up, admit)
        for _ in range(3):
            guard.reserve(**CLAIMS)
        self.assertEqual(self.stranger.connections, 2)

    def test_many(self):
        mixed = lambda question: answer(409, {"results": [admitted(question["body"]["tokens"][0]["owner"]), REPLAYED]})(question)  # noqa: E731
        self.assertEqual([bool(one) for one in self.guard(mixed).admit_many([CLAIMS, CLAIMS])], [True, False])
        swapped = lambda question: answer(200, {"results": [admitted(one["owner"]) for one in reversed(question["body"]["tokens"])]})(question)  # noqa: E731
        self.assertEqual([bool(one) for one in self.guard(swapped).admit_many([CLAIMS, CLAIMS])], [False, False])
        wrong = self.guard(answer(422, {"result": "refused", "reason": "malformed_batch"})).admit_many([CLAIMS])
        self.assertEqual([(one.admitted, one.reason) for one in wrong], [(False, "malformed_batch")])
        self.assertEqual(self.guard(admit).admit_many([]), [])

    def test_a_release_is_asked_once(self):
        reservation = {"key": "k", "owner": "0" * 32}
        guard = self.guard(answer(200, {"released": True}), answer(409, {"released": False}), answer(503, {"released": False, "reason": "unavailable"}), hang_up)
        self.assertEqual((guard.release(reservation), guard.release(reservation)), (True, False))
        for reason in ("unavailable", "unreachable"):
            with self.assertRaises(Refused) as caught:
                guard.release(reservation)
            self.assertEqual(caught.exception.reason, reason)
        self.assertEqual((len(self.stranger.questions), self.stranger.connections), (4, 4))

    def test_options_that_are_none(self):
        for options in ({}, {"socket": "s", "url": "http://x"}, {"url": "ftp://x"}, {"socket": "s", "deadline_s": 0}, {"socket": "s", "secret": "a\r\nX: y"}):
            with self.assertRaises((TypeError, ValueError)):
                Guard(**options)

    def test_names(self):
        names = ["a", "x" * 256, "x" * 257, "x" * 258, "\ud800", "\udbff", "a\0b", "\0", "sha256:a"]
        self.assertEqual(len({within(name) for name in names}), len(names))
        self.assertTrue(all(len(within(name)) <= 256 for name in names))
        vectors = json.loads((pathlib.Path(__file__).resolve().parents[3] / "docs/vectors/keys.json").read_text())
        self.assertEqual([_owner_in_hex(one["owner"]) for one in vectors["owners"]], [one["hex"] for one in vectors["owners"]])


@unittest.skipUnless(os.environ.get("JTIGUARD"), "JTIGUARD names no tool")
class Real(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "api.sock")
        self.service = subprocess.Popen(
            [os.environ["JTIGUARD"], "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--api-listen", f"unix:{self.path}"], stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.stop)
        for line in self.service.stderr:
            if re.search(r" started ", line):
                break
        self.log = threading.Thread(target=self.service.stderr.read, daemon=True)
        self.log.start()
        self.guard = Guard(self.path)
        self.addCleanup(self.guard.close)

    def stop(self):
        if self.service.poll() is None:
            self.service.send_signal(signal.SIGKILL)
            self.service.wait()
            self.log.join()
            self.service.stderr.close()

    def test_once(self):
        now = int(time.time())
        claims = {"kind": "id_token", "iss": "https://id.example", "aud": "api", "jti": "é", "iat": now, "exp": now + 60}
        admission = self.guard.reserve(**claims)
        self.assertFalse(self.guard.is_first_use(**claims))
        self.assertEqual((self.guard.release(admission.reservation), self.guard.release(admission.reservation)), (True, False))
        many = self.guard.admit_many([claims, claims, {**claims, "exp": 2, "iat": 1}])
        self.assertEqual([one.reason for one in many], ["admitted", "replayed", "expired"])
        self.stop()
        self.assertFalse(self.guard.is_first_use(**{**claims, "jti": "new"}))

    def test_the_readme(self):
        page = (pathlib.Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")
        program = re.search(r"```python\n(.*?)```", page, re.S)[1].replace("/run/jtiguard/api.sock", self.path)
        shown = {}
        exec(program, shown)  # noqa: S102
        payload = {"iss": "https://id.example", "jti": "readme", "exp": int(time.time()) + 60}
        self.assertEqual([shown["let_in"](payload), shown["let_in"](payload)], [True, False])
        shown["guard"].close()

    def test_threads_and_children(self):
        ids = [str(i) for i in range(50)]
        let_in = []
        show = lambda: let_in.extend(one for one in ids if self.guard.is_first_use(**{**CLAIMS, "jti": one}))  # noqa: E731
        self.guard.reserve(**{**CLAIMS, "jti": "first"})  # a connection that a child must not use
        threads = [threading.Thread(target=show) for _ in range(4)]
        child = os.fork()
        if child == 0:
            show()
            with open(os.path.join(self.folder.name, "child"), "w", encoding="ascii") as file:
                file.write("\n".join(let_in))
            os._exit(0)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        with open(os.path.join(self.folder.name, "child"), encoding="ascii") as file:
            let_in.extend(file.read().split())
        self.assertEqual(sorted(let_in), sorted(ids))

    def test_wsgi_and_asgi(self):
        ran, told = [], []
        claims = lambda where: {**CLAIMS, "jti": where["id"]}  # noqa: E731
        wsgi = WsgiOnce(lambda environ, start: ran.append(environ["jtiguard"].owner) or start("200 OK", []) or [b"in"], self.guard, claims)
        call = lambda identity: b"".join(wsgi({"id": identity}, lambda status, headers: told.append(status)))  # noqa: E731
        self.assertEqual([call("a"), call("a")], [b"in", b'{"error":"invalid_token"}'])

        async def app(scope, receive, send):
            ran.append(scope["jtiguard"].owner)
            await send({"type": "http.response.start", "status": 200, "headers": []})

        async def send(message):
            if "status" in message:
                told.append(str(message["status"]))

        asgi = AsgiOnce(app, self.guard, claims)
        for identity in ("b", "b"):
            asyncio.run(asgi({"type": "http", "id": identity}, None, send))
        self.assertEqual(len(ran), 2)
        self.stop()
        asyncio.run(asgi({"type": "http", "id": "c"}, None, send))
        self.assertEqual(call("d"), b'{"error":"temporarily_unavailable"}')
        self.assertEqual(told, ["200 OK", "401 Unauthorized", "200", "401", "503", "503 Service Unavailable"])
        self.assertEqual(len(ran), 2)


if __name__ == "__main__":
    unittest.main()
