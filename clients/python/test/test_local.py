# SPDX-License-Identifier: Apache-2.0
"""The guard in this process (JTIGUARD_LIBRARY: the shared library), beside the vectors and the service (JTIGUARD: the
tool)."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from jtiguard import Guard, Refused, WsgiOnce, _owner_in_hex  # noqa: E402
from jtiguard_local import LocalGuard  # noqa: E402

LIBRARY = os.environ.pop("JTIGUARD_LIBRARY")  # no setting of the service
PAGES = pathlib.Path(__file__).resolve().parents[3] / "docs"
LINK = {"kind": "custom", "custom_kind": "test", "lifetime": 60}


def memory(**options):
    return LocalGuard("memory", library=LIBRARY, **options)


def token(**more):
    now = int(time.time())
    return {"kind": "id_token", "iss": "https://id.example", "aud": "api", "jti": "1", "iat": now, "exp": now + 60, **more}


def said(guard, **claims):
    try:
        return guard.reserve(**claims).reservation["key"]
    except Refused as error:
        return error.reason


class Memory(unittest.TestCase):
    def test_once(self):
        guard = memory()
        first = guard.reserve(**token(owner="request 7"))
        self.assertEqual(first.reservation["owner"], _owner_in_hex("request 7"))
        self.assertTrue(60_000 < first.ttl_ms <= 151_000)
        self.assertTrue(guard.is_first_use(**token(owner="request 7")))
        with self.assertRaises(Refused) as caught:
            guard.reserve(**token())
        self.assertEqual((caught.exception.replayed, caught.exception.trouble), (True, False))
        self.assertEqual((guard.release(first.reservation), guard.release(first.reservation)), (True, False))
        many = guard.admit_many([token(), token(), token(iat=1, exp=2)])
        self.assertEqual([one.reason for one in many], ["admitted", "replayed", "expired"])
        self.assertEqual([bool(one) for one in many], [True, False, False])

    def test_what_is_no_question(self):
        guard = memory()
        for reason, more in (
            ("unknown_member", {"jit": "x"}), ("wrong_type", {"aud": ["api"]}), ("wrong_type", {"exp": "soon"}), ("wrong_type", {"exp": True}),
            ("wrong_type", {"exp": float("nan")}), ("unreasonable_time", {"exp": float("inf")}), ("unreasonable_time", {"exp": 10**400}),
            ("unreasonable_time", {"exp": -1}), ("missing_kind", {"kind": "id_token\0"}), ("missing_kind", {"kind": "none"}), ("malformed_jti", {"jti": "a\0b"}),
            ("malformed_claim", {"jti": "\ud800"}), ("missing_jti", {"jti": None}), ("missing_exp", {"exp": None}), ("lifetime_too_long", {"exp": time.time() + 1e6}),
            ("unusable_owner", {"owner": "x" * 513}), ("jti_too_long", {"jti": "x" * 257}),
        ):
            self.assertEqual(said(guard, **token(**more)), reason, more)
        self.assertEqual(guard.reserve(**LINK, jti="2", owner="a\0b").reservation["owner"], _owner_in_hex("a\0b"))
        self.assertTrue(guard.is_first_use(**token()))  # none of these has used it up

    def test_the_vectors(self):
        for vector in json.loads((PAGES / "vectors/keys.json").read_text(encoding="utf-8"))["vectors"]:
            claims = {"iat": int(time.time()), "exp": int(time.time()) + 60, **vector["claims"]}
            self.assertEqual(said(memory(**vector.get("options", {})), **claims), vector.get("key", vector.get("reason")), vector["name"])

    def test_options(self):
        self.assertEqual(said(memory(max_lifetime_s=30), **token()), "lifetime_too_long")
        self.assertEqual(said(memory(restart_rule=1), **token()), "issued_before_start")
        for error, options in ((TypeError, {"leway_s": 1}), (ValueError, {"leeway_s": -1}), (ValueError, {"leeway_s": 2**40}), (ValueError, {"missing_jti": "never"}), (OSError, {"leeway_s": 301})):
            with self.assertRaises(error):
                memory(**options)
        for store in ("", "redis://x", "host", "memory:"):
            with self.assertRaises(ValueError):
                LocalGuard(store, library=LIBRARY)
        with self.assertRaises(OSError):
            LocalGuard("memory", library="libjtiguard-that-is-none.so")

    def test_an_application(self):
        ran = []
        app = WsgiOnce(lambda environ, start: ran.append(environ["jtiguard"].ttl_ms) or [b"in"], memory(), lambda environ: token())
        self.assertEqual([b"".join(app({}, lambda status, headers: None)) for _ in range(2)], [b"in", b'{"error":"invalid_token"}'])
        self.assertEqual(len(ran), 1)

    def test_threads(self):
        guard, let_in = memory(), []
        ids = [str(number) for number in range(500)]
        show = lambda: let_in.extend(one for one in ids if guard.is_first_use(**LINK, jti=one))  # noqa: E731
        threads = [threading.Thread(target=show) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(let_in), sorted(ids))

    def test_a_guard_from_before_fork(self):
        guard = memory()
        child = os.fork()
        if child == 0:
            try:
                guard.reserve(**token())
                os._exit(1)
            except Refused as error:
                os._exit(0 if error.reason == "forked" and error.trouble else 2)
        self.assertEqual(os.waitpid(child, 0)[1], 0)


@unittest.skipUnless(os.environ.get("JTIGUARD"), "JTIGUARD names no tool")
class Host(unittest.TestCase):
    """Workers, and the service, on the store of a host."""

    def setUp(self):
        if not pathlib.Path("/dev/shm").is_dir():
            self.skipTest("no tmpfs at /dev/shm")
        self.folder = tempfile.TemporaryDirectory(dir="/dev/shm")
        self.addCleanup(self.folder.cleanup)
        self.store = f"host:{self.folder.name}/store"
        subprocess.run([os.environ["JTIGUARD"], "vouch", "--store", self.store, "--yes"], check=True, stdout=subprocess.DEVNULL)

    def test_workers(self):
        ids = [str(number) for number in range(300)]
        children = []
        for index in range(4):
            child = os.fork()
            if child == 0:
                guard = LocalGuard(self.store, library=LIBRARY)
                let_in = [one for one in ids if guard.is_first_use(**LINK, jti=one)]
                pathlib.Path(self.folder.name, f"worker {index}").write_text(" ".join(let_in), encoding="ascii")
                os._exit(0)
            children.append(child)
        self.assertEqual([os.waitpid(child, 0)[1] for child in children], [0] * 4)
        let_in = [one for index in range(4) for one in pathlib.Path(self.folder.name, f"worker {index}").read_text(encoding="ascii").split()]
        self.assertEqual(sorted(let_in), sorted(ids))

    def test_the_service_beside_it(self):
        path = f"{self.folder.name}/api.sock"
        with subprocess.Popen(
            [os.environ["JTIGUARD"], "serve", "--store", self.store, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--api-listen", f"unix:{path}"], stderr=subprocess.PIPE, text=True
        ) as service:
            try:
                next(line for line in service.stderr if " started " in line)
                threading.Thread(target=service.stderr.read, daemon=True).start()
                self.ask_both(LocalGuard(self.store, library=LIBRARY), Guard(path, deadline_s=20))
            finally:
                service.kill()

    def ask_both(self, local, served):
        now = int(time.time())
        self.assertTrue(local.is_first_use(**token(owner="request 7")))
        self.assertTrue(served.is_first_use(**token(owner="request 7")))  # one owner, whichever way
        self.assertEqual((said(local, **token()), said(served, **token())), ("replayed", "replayed"))
        for more in ({"iat": 1, "exp": 2}, {"iat": now + 100}, {"nbf": now + 100}, {"kind": "dpop_proof"}, {"kind": "custom"}, {"exp": None}, {"exp": now + 10**6}, {"lifetime": 30}, {"lifetime": 0}, {"exp": 0.5}, {"iat": 1e300}, {"jit": 1}, {"jti": 7}, {"iss": ""}):
            with self.assertRaises(Refused) as here:
                local.reserve(**token(**{"jti": "2", **more}))
            with self.assertRaises(Refused) as there:
                served.reserve(**token(**{"jti": "2", **more}))
            self.assertEqual((here.exception.reason, here.exception.trouble), (there.exception.reason, there.exception.trouble), more)
        served.close()


if __name__ == "__main__":
    unittest.main()
