# SPDX-License-Identifier: Apache-2.0
"""Django: the same, as a decorator of the views that take such a token. A project of one file."""
import functools
import json

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from jtiguard import Refused

if not settings.configured:
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="of this example alone")

guard = None  # as in flask_login.py


def verified(payload):
    return {name: payload.get(name) for name in ("iss", "jti", "iat", "exp")}


def once(view):
    @functools.wraps(view)
    def asked(request, *args, **kwargs):
        try:
            guard.reserve(kind="id_token", aud="shop", **verified(json.loads(request.body)))
        except Refused as error:
            return JsonResponse({"error": error.reason}, status=503 if error.trouble else 401)
        return view(request, *args, **kwargs)

    return asked


@csrf_exempt
@once
def login(request):
    return HttpResponse("welcome")


urlpatterns = [path("login", login)]
