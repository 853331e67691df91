# SPDX-License-Identifier: Apache-2.0
"""A login that takes each ID token once, whichever worker is asked.

In your program the claims come from your JWT library, after it has checked the signature, the
issuer, the audience and the nonce. Here they come as JSON in a header, for a test to write.
"""
import json
import os

guard = None  # made in each worker, by gunicorn.conf.py


def application(environ, start_response):
    claims = json.loads(environ["HTTP_X_VERIFIED_CLAIMS"])
    reason = guard.admit(claims, "timesheets")
    status = "200 OK" if reason == "admitted" else "403 Forbidden"
    body = (reason + "\n").encode()
    start_response(status, [("Content-Length", str(len(body))), ("X-JTI-Reason", reason), ("X-Worker", str(os.getpid()))])
    return [body]
