# SPDX-License-Identifier: Apache-2.0
"""Starlette, and so FastAPI: the same. A question may wait for the store, so it is asked in a thread."""
from jtiguard import Refused
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

guard = None  # as in flask_login.py


def verified(payload):
    return {name: payload.get(name) for name in ("iss", "jti", "iat", "exp")}


async def login(request):
    await run_in_threadpool(guard.reserve, kind="id_token", aud="shop", **verified(await request.json()))
    return PlainTextResponse("welcome")


async def refused(request, error):
    return JSONResponse({"error": error.reason}, 503 if error.trouble else 401)


app = Starlette(routes=[Route("/login", login, methods=["POST"])], exception_handlers={Refused: refused})
