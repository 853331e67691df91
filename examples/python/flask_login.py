# SPDX-License-Identifier: Apache-2.0
"""Flask: a login by a link that is used once.

In your program verified() is your JWT library's, after the signature, the issuer and the audience were checked.
"""
from flask import Flask, jsonify, request
from jtiguard import Refused

app = Flask(__name__)
guard = None  # jtiguard.Guard("/run/jtiguard/api.sock"), or jtiguard_local.LocalGuard("host:") in each worker


def verified(payload):
    return {name: payload.get(name) for name in ("iss", "jti", "iat", "exp")}


@app.post("/login")
def login():
    guard.reserve(kind="id_token", aud="shop", **verified(request.get_json()))  # last, when all else is checked
    return "welcome"


@app.errorhandler(Refused)
def refused(error):
    return jsonify(error=error.reason), 503 if error.trouble else 401
