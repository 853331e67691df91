# SPDX-License-Identifier: Apache-2.0
"""The guard of jtiguard for Python, by ctypes: what a login or a callback needs, to copy from.

One object a process: make it behind fork, in gunicorn's post_fork or uWSGI's postfork. One that was
made before refuses with "forked". Any thread of the process may use it.
"""
import ctypes
from ctypes import POINTER, byref, c_char, c_char_p, c_int, c_int64, c_size_t, c_uint32, c_uint64, c_void_p

ID_TOKEN = 1
ABSENT = -(2**63)


class Text(ctypes.Structure):
    _fields_ = [("data", c_char_p), ("len", c_size_t)]


class Claims(ctypes.Structure):  # jtg_claims of guard.h; so are those below
    _fields_ = [("struct_size", c_size_t), ("kind", c_int)]
    _fields_ += [(name, Text) for name in ("custom_kind", "issuer", "audience", "client", "thumbprint", "jti", "signing_input")]
    _fields_ += [("iat_ms", c_int64), ("nbf_ms", c_int64), ("exp_ms", c_int64), ("owner", c_void_p), ("lifetime_ms", c_int64), ("apart_ms", c_int64)]


class Reservation(ctypes.Structure):
    _fields_ = [("owner", c_char * 16), ("key_len", c_uint32), ("key", c_char * 512)]


class Decision(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("reason", c_int), ("ttl_ms", c_uint64), ("reservation", Reservation)]


class Error(ctypes.Structure):
    _fields_ = [("status", c_int), ("system_errno", c_int), ("text", c_char * 200)]


def _library(path):
    library = ctypes.CDLL(path)
    library.jtg_host_new_uri.argtypes = [POINTER(c_void_p), c_char_p, POINTER(Error)]
    library.jtg_guard_new.argtypes = [POINTER(c_void_p), c_void_p, c_void_p, POINTER(Error)]
    library.jtg_guard_admit.argtypes = [c_void_p, POINTER(Claims), POINTER(Decision), POINTER(Error)]
    library.jtg_guard_admit.restype = ctypes.c_bool
    library.jtg_reason_name.restype = c_char_p
    library.jtg_claims_init.argtypes = [POINTER(Claims)]
    return library


def _text(value):
    data = value.encode()
    return Text(data, len(data))


def _ms(seconds):
    return ABSENT if seconds is None else int(seconds * 1000)


class Guard:
    """Lives as long as its process: the system lets go of the store when that ends."""

    def __init__(self, store, library="libjtiguard.so.0.1"):
        self._library = _library(library)
        self._cache, self._guard, error = c_void_p(), c_void_p(), Error()
        if self._library.jtg_host_new_uri(byref(self._cache), store.encode(), byref(error)) != 0:
            raise OSError(error.text.decode())
        if self._library.jtg_guard_new(byref(self._guard), self._cache, None, byref(error)) != 0:
            raise OSError(error.text.decode())

    def admit(self, claims, audience):
        """The reason as a word, of the claims of an ID token that was verified; only "admitted" admits.

        audience: the one for which you accepted it.
        """
        asked, decision, error = Claims(), Decision(), Error()
        self._library.jtg_claims_init(byref(asked))
        decision.struct_size = ctypes.sizeof(decision)
        asked.kind = ID_TOKEN
        asked.issuer, asked.audience = _text(claims["iss"]), _text(audience)
        asked.jti = _text(claims["jti"])
        asked.iat_ms, asked.exp_ms = _ms(claims.get("iat")), _ms(claims.get("exp"))
        self._library.jtg_guard_admit(self._guard, byref(asked), byref(decision), byref(error))
        return self._library.jtg_reason_name(decision.reason).decode()
