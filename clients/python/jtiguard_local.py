# SPDX-License-Identifier: Apache-2.0
"""The guard itself, by ctypes: no service, the store of this host (or of this process).

LocalGuard is asked as jtiguard.Guard is, and takes its place in front of applications. The library is found by its
soname, so a later one of the same name serves as well: each struct says how large it is here.
"""

import ctypes
import math
import uuid
import weakref
from ctypes import POINTER, byref, c_bool, c_char_p, c_int, c_int64, c_size_t, c_uint32, c_uint64, c_ubyte, c_void_p

from jtiguard import Admission, Decision, Refused

__all__ = ["LocalGuard"]

SONAME = "libjtiguard.so.0.1"
TIME_ABSENT = -(2**63)
TIME_MAX_MS = 253402300799999  # the end of the year 9999
TEXTS = {"custom_kind": "custom_kind", "iss": "issuer", "aud": "audience", "client": "client", "thumbprint": "thumbprint", "jti": "jti", "signing_input": "signing_input"}
TIMES = {"iat": "iat_ms", "nbf": "nbf_ms", "exp": "exp_ms"}
MEMBERS = frozenset((*TEXTS, *TIMES, "kind", "lifetime", "owner"))
UNSETTLED = frozenset(("outcome_unknown", "too_few_replicas"))
ABOUT_THE_TOKEN = ("missing_", "malformed_", "unknown_member", "wrong_type", "jti_too_long", "unreasonable_time", "expired", "not_yet_valid", "issued_", "lifetime_too_long", "expires_before_issued")


# The structs of the headers, in the layout of 0.1. What a later library adds comes behind.


class _Text(ctypes.Structure):
    _fields_ = [("data", c_char_p), ("len", c_size_t)]


class _Claims(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("kind", c_int)]
    _fields_ += [(name, _Text) for name in ("custom_kind", "issuer", "audience", "client", "thumbprint", "jti", "signing_input")]
    _fields_ += [("iat_ms", c_int64), ("nbf_ms", c_int64), ("exp_ms", c_int64), ("owner", c_void_p), ("lifetime_ms", c_int64), ("apart_ms", c_int64)]


class _Owner(ctypes.Structure):
    _fields_ = [("bytes", c_ubyte * 16)]


class _Reservation(ctypes.Structure):
    _fields_ = [("owner", _Owner), ("key_len", c_uint32), ("key", c_ubyte * 512)]


class _Decision(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("reason", c_int), ("ttl_ms", c_uint64), ("reservation", _Reservation)]


class _Options(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t)]
    _fields_ += [(name, c_uint32) for name in ("leeway_s", "future_leeway_s", "retention_margin_s", "max_lifetime_s", "proof_max_age_s", "max_jti_bytes")]
    _fields_ += [("key_form", c_int), ("missing_jti", c_int), ("key_prefix", c_char_p), ("restart_rule", c_uint32), ("clock", c_void_p), ("logger", c_void_p)]


class _Error(ctypes.Structure):
    _fields_ = [("status", c_int), ("system_errno", c_int), ("text", ctypes.c_char * 200)]


ROOM = 4096  # of a struct that the library fills in: it may be larger there than it is here
WORDS = {"key_form": ("digest", "plain"), "missing_jti": ("refuse", "digest")}


def _load(path):
    library = ctypes.CDLL(path)
    for name, result, *arguments in (
        ("jtg_memory_new", c_int, POINTER(c_void_p), c_void_p, POINTER(_Error)),
        ("jtg_host_new_uri", c_int, POINTER(c_void_p), c_char_p, POINTER(_Error)),
        ("jtg_cache_free", None, c_void_p),
        ("jtg_guard_options_init", None, c_void_p),
        ("jtg_guard_new", c_int, POINTER(c_void_p), c_void_p, c_void_p, POINTER(_Error)),
        ("jtg_guard_free", None, c_void_p),
        ("jtg_guard_admit", c_bool, c_void_p, c_void_p, POINTER(_Decision), POINTER(_Error)),
        ("jtg_guard_release", c_int, c_void_p, POINTER(_Reservation), POINTER(_Error)),
        ("jtg_claims_init", None, c_void_p),
        ("jtg_kind_from_name", c_int, c_char_p),
        ("jtg_owner_from_bytes", c_int, POINTER(_Owner), c_char_p, c_size_t),
        ("jtg_reason_name", c_char_p, c_int),
        ("jtg_status_name", c_char_p, c_int),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def _filled(kind, init):
    """A struct of the library's own size, with its own defaults."""
    room = ctypes.create_string_buffer(ROOM)
    init(room)
    struct = kind.from_buffer(room)
    if not ctypes.sizeof(kind) <= struct.struct_size <= ROOM:
        raise OSError("jtiguard: a library of another layout")
    return struct


def _free(library, guard, cache):
    library.jtg_guard_free(guard)
    library.jtg_cache_free(cache)


class _Wrong(Exception):
    """What was asked is no question: its reason, as the service names it."""


def _bytes_of(value):
    if not isinstance(value, str):
        raise _Wrong("wrong_type")
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise _Wrong("malformed_claim") from None


def _text_of(value):
    data = _bytes_of(value)
    return _Text(data, len(data))  # read back, data would end at a NUL


def _ms_of(value):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        raise _Wrong("wrong_type")
    if not 0 <= value <= TIME_MAX_MS:  # nor has it room for more
        return -1 if value < 0 else TIME_MAX_MS + 1
    return min(math.floor(value * 1000), TIME_MAX_MS + 1)


def _kind_of(library, value):
    name = _bytes_of(value)
    return library.jtg_kind_from_name(name) if b"\0" not in name else 0


class LocalGuard:
    """The guard in this process. store: 'host:' or 'host:/path', which the processes of this host share, or 'memory',
    which dies with this process and which no other one sees. options: those of the guard, by their names.

    Make it behind fork() (gunicorn's post_fork): one from before it answers 'forked'. Any thread may ask."""

    def __init__(self, store="host:", *, library=SONAME, **options):
        self._library = _load(library)
        cache, guard, error = c_void_p(), c_void_p(), _Error()
        given = self._read_options(options)
        if store == "memory":
            status = self._library.jtg_memory_new(byref(cache), None, byref(error))
        elif store == "host:" or store.startswith("host:/"):
            status = self._library.jtg_host_new_uri(byref(cache), store.encode(), byref(error))
        else:
            raise ValueError("jtiguard: store is 'host:', 'host:/path' or 'memory'; for a Redis ask the service")
        if status == 0:
            status = self._library.jtg_guard_new(byref(guard), cache, given, byref(error))
        if status != 0:
            self._library.jtg_cache_free(cache)
            raise OSError(f"jtiguard: {error.text.decode(errors='replace')}")
        self._guard = guard
        # When nobody holds the object, nobody is inside a call; and at the end of the process it goes with it.
        weakref.finalize(self, _free, self._library, guard, cache).atexit = False

    def reserve(self, **claims):
        """The Admission of a first use of what has these claims (those of /v1/reserve). Everything else raises
        Refused."""
        owner = claims.get("owner") or str(uuid.uuid4())
        decision = self._ask_until_settled({**claims, "owner": owner}, owner)
        if not decision:
            raise Refused(decision.result, decision.reason, decision.text, owner, decision.reservation, not self._is_about_the_token(decision))
        return Admission(decision.ttl_ms, decision.reservation, owner)

    def is_first_use(self, **claims):
        """The same as a bool: False for whatever else, and when nobody could say."""
        try:
            self.reserve(**claims)
            return True
        except Refused:
            return False

    def admit_many(self, many):
        """A Decision for each, in their order."""
        tokens = [{**claims, "owner": claims.get("owner") or str(uuid.uuid4())} for claims in many]
        return [self._ask_until_settled(claims, claims["owner"]) for claims in tokens]

    def release(self, reservation):
        """Give a reservation back, after a failure that is certain and your own. Whether it was."""
        key, owner = reservation["key"].encode("utf-8", "surrogateescape"), bytes.fromhex(reservation["owner"])
        given, error = _Reservation(), _Error()
        if len(key) > len(given.key) or len(owner) != len(given.owner.bytes):
            raise ValueError("jtiguard: no reservation of this guard")
        given.key[: len(key)], given.key_len, given.owner.bytes[:] = key, len(key), owner
        name = self._library.jtg_status_name(self._library.jtg_guard_release(self._guard, byref(given), byref(error))).decode()
        if name not in ("ok", "not_found", "not_owner"):
            raise Refused("refused", name, error.text.decode(errors="replace") or None, None, reservation, True)
        return name == "ok"

    # ---- one question ----

    def _ask_until_settled(self, claims, owner):
        for _ in range(3):
            decision = self._ask(claims, owner)
            if decision or decision.reason not in UNSETTLED:
                break
        return decision

    def _ask(self, claims, owner):
        asked, given = _filled(_Claims, self._library.jtg_claims_init), _Owner()
        decision, error = _Decision(), _Error()
        decision.struct_size = ctypes.sizeof(decision)
        try:
            kept = self._read_claims(asked, given, claims)
        except _Wrong as wrong:
            return Decision("refused", str(wrong), owner)
        admitted = self._library.jtg_guard_admit(self._guard, byref(asked), byref(decision), byref(error))
        del kept  # what asked points to has lived until here
        reason = self._library.jtg_reason_name(decision.reason).decode()
        held = decision.reservation
        reservation = None
        if held.key_len != 0:
            reservation = {"key": bytes(held.key[: held.key_len]).decode("utf-8", "surrogateescape"), "owner": bytes(held.owner.bytes).hex()}
        if admitted is not True or reason != "admitted":
            result = "replayed" if reason == "replayed" else "refused"
            return Decision(result, reason if reason != "admitted" else "internal", owner, reservation, error.text.decode(errors="replace") or None)
        return Decision("admitted", reason, owner, reservation, None, decision.ttl_ms)

    def _read_claims(self, asked, given, claims):
        kept = [given]
        for name, value in claims.items():
            if name not in MEMBERS:
                raise _Wrong("unknown_member")
            if value is None or name == "owner":
                continue
            if name == "kind":
                asked.kind = _kind_of(self._library, value)
            elif name in TEXTS:
                text = _text_of(value)
                kept.append(text)
                setattr(asked, TEXTS[name], text)
            elif name in TIMES:
                setattr(asked, TIMES[name], _ms_of(value))
            else:
                asked.lifetime_ms = _ms_of(value) or -1
        owner = _bytes_of(claims["owner"])
        if len(owner) > 512 or self._library.jtg_owner_from_bytes(byref(given), owner, len(owner)) != 0:
            raise _Wrong("unusable_owner")
        asked.owner = ctypes.addressof(given)
        return kept

    def _read_options(self, options):
        given = _filled(_Options, self._library.jtg_guard_options_init)
        for name, value in options.items():
            if name in WORDS:
                value = WORDS[name].index(value)
            elif name == "key_prefix":
                value = value.encode()
            elif name not in ("leeway_s", "future_leeway_s", "retention_margin_s", "max_lifetime_s", "proof_max_age_s", "max_jti_bytes", "restart_rule"):
                raise TypeError(f"jtiguard: no option {name}")
            elif not isinstance(value, int) or not 0 <= value < 2**32:
                raise ValueError(f"jtiguard: {name}")
            setattr(given, name, value)
        return byref(given)

    @staticmethod
    def _is_about_the_token(decision):
        return decision.result == "replayed" or decision.reason.startswith(ABOUT_THE_TOKEN)
