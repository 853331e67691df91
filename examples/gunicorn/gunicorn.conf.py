# SPDX-License-Identifier: Apache-2.0
# gunicorn -c gunicorn.conf.py; jtiguard and jtiguard_local are clients/python
import os

chdir = os.path.dirname(os.path.abspath(__file__))
wsgi_app = "app:application"
workers = 8
preload_app = True  # as many do to save memory: the guard is not part of what is loaded before fork


def post_fork(server, worker):
    import app
    from jtiguard_local import SONAME, LocalGuard

    app.guard = LocalGuard(os.environ.get("JTIGUARD_STORE", "host:"), library=os.environ.get("JTIGUARD_LIBRARY", SONAME))
