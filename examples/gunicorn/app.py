# SPDX-License-Identifier: Apache-2.0
"""A login that takes each ID token once, whichever worker is asked.

In your program the claims come from your JWT library, after it has checked the signature, the
issuer, the audience and the nonce. Here they come as JSON in a header, for a test to write.
"""
import json
import os

from jtiguard import Refused

guard = None  # made in each worker, by gunicorn.conf.py


def log_in(claims):
    named = {name: claims.get(name) for name in ("iss", "jti", "iat", "exp")}  # and no "owner" of a token's own
    try:
        guard.reserve(kind="id_token", aud="timesheets", **named)
        return "200 OK", "admitted"
    except Refused as error:
        return "403 Forbidden", error.reason


def application(environ, start_response):
    status, reason = log_in(json.loads(environ["HTTP_X_VERIFIED_CLAIMS"]))
    body = (reason + "\n").encode()
    start_response(status, [("Content-Length", str(len(body))), ("X-JTI-Reason", reason), ("X-Worker", str(os.getpid()))])
    return [body]
