# SPDX-License-Identifier: Apache-2.0
"""examples/python in the frameworks they are for, as Debian packages them. 77: one of these is not there."""

import asyncio
import importlib.util
import json
import os
import pathlib
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "clients/python"), str(ROOT / "examples/python")]
if any(importlib.util.find_spec(name) is None for name in ("flask", "django", "starlette")):
    sys.exit(77)

from jtiguard import Guard  # noqa: E402
from jtiguard_local import LocalGuard  # noqa: E402


def post_wsgi(app, body):
    """What a WSGI server does with POST /login."""
    import io

    told = []
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/login", "SCRIPT_NAME": "", "QUERY_STRING": "", "SERVER_NAME": "a", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
               "wsgi.input": io.BytesIO(body), "wsgi.errors": sys.stderr, "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
    answer = app(environ, lambda status, headers, info=None: told.append(int(status[:3])))
    said = b"".join(answer)
    getattr(answer, "close", lambda: None)()
    return told[0], said.decode()


def post_asgi(app, body):
    sent = []

    async def receive():
        return {"type": "http.request", "body": body}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/login", "raw_path": b"/login", "root_path": "", "query_string": b"", "headers": [(b"content-type", b"application/json")], "scheme": "http"}
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent).decode()


class Frameworks(unittest.TestCase):
    def judge(self, module, post):
        now = int(time.time())
        payload = {"iss": "https://id.example", "jti": "1", "iat": now, "exp": now + 60}
        show = lambda **more: post(json.dumps({**payload, **more}).encode())  # noqa: E731
        module.guard = LocalGuard("memory", library=os.environ["JTIGUARD_LIBRARY"])
        self.assertEqual(show(), (200, "welcome"))
        status, said = show()
        self.assertEqual((status, json.loads(said)), (401, {"error": "replayed"}))
        status, said = show(jti=None)
        self.assertEqual((status, json.loads(said)), (401, {"error": "missing_jti"}))
        module.guard = Guard("/nonexistent/api.sock", deadline_s=0.2)
        status, said = show(jti="2")
        self.assertEqual((status, json.loads(said)), (503, {"error": "unreachable"}))

    def test_flask(self):
        import flask_login

        self.judge(flask_login, lambda body: post_wsgi(flask_login.app, body))

    def test_django(self):
        import django_login
        from django.core.wsgi import get_wsgi_application

        application = get_wsgi_application()
        self.judge(django_login, lambda body: post_wsgi(application, body))

    def test_starlette(self):
        import starlette_login

        self.judge(starlette_login, lambda body: post_asgi(starlette_login.app, body))


if __name__ == "__main__":
    unittest.main()
