# SPDX-License-Identifier: Apache-2.0
# gunicorn -c gunicorn.conf.py
import os

chdir = os.path.dirname(os.path.abspath(__file__))
wsgi_app = "app:application"
workers = 8
preload_app = True  # as many do to save memory: the guard is not part of what is loaded before fork


def post_fork(server, worker):
    import app
    import jtiguard

    app.guard = jtiguard.Guard(os.environ.get("JTIGUARD_STORE", "host:"),
                               os.environ.get("JTIGUARD_LIBRARY", "libjtiguard.so.0.1"))
