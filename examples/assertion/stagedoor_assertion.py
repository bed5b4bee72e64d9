"""Who is calling, as the door says it: checks `X-Stagedoor-Assertion`. To be copied into a console; needs `PyJWT[crypto]`.

    verifier = Verifier("https://console.example.com/.stagedoor/jwks.json", site="console", issuer="Stagedoor")
    caller = verifier.caller(request.headers.get_all("X-Stagedoor-Assertion"))
    caller["sub"], caller["role"], caller["sid"]

The three arguments are settings of the console: nothing that a request says decides which key is fetched, or from where.
Whatever is not wholly right raises `Refused`: answer 401 then, and show nothing.
"""

import json
import re
import threading
import time
import urllib.request

import jwt

# The one algorithm there is. What the assertion itself says of it is compared with this and never obeyed.
ALGORITHM = "ES256"
# By how much the clocks of the door and of this machine may differ.
LEEWAY_SECONDS = 5
# An assertion of the door has some 500 bytes.
ASSERTION_BYTES_MAX = 4096
KEYS_BYTES_MAX = 64 * 1024
FETCH_SECONDS_MAX = 5
# A key that the door has withdrawn is believed this much longer.
KEYS_SECONDS_MAX = 3600
# An unknown key has the set fetched again, but no more often than this, however many unknown ones come.
FETCH_SECONDS_MIN = 10

COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
CLAIMS = ["iss", "aud", "sub", "role", "sid", "iat", "exp"]


class Refused(Exception):
    """Nobody knows who is calling."""


class Verifier:
    """Checks assertions for one site. One for the whole process; threads may share it."""

    def __init__(self, keys_url, *, site, issuer, fetch_seconds_min=FETCH_SECONDS_MIN):
        """`site`: its name in stagedoor.toml, `[site.NAME]`. `issuer`: `[portal] title`."""
        self._keys_url, self._site, self._issuer = keys_url, site, issuer
        self._fetch_seconds_min = fetch_seconds_min
        self._lock = threading.Lock()
        self._keys, self._fetched, self._tried = {}, None, None

    def caller(self, values):
        """The claims, of every value that the request's header has: a list of one, unless something is wrong."""
        if not values or len(values) != 1:
            raise Refused(f"one assertion is wanted, not {len(values or [])}")
        (assertion,) = values
        if len(assertion) > ASSERTION_BYTES_MAX or not COMPACT.fullmatch(assertion):
            raise Refused("that is no assertion")
        try:
            header = jwt.get_unverified_header(assertion)
            if header.get("alg") != ALGORITHM or "crit" in header:
                raise Refused("it is signed in another way than the door signs")
            return jwt.decode(
                assertion,
                self._key(header.get("kid")),
                algorithms=[ALGORITHM],
                audience=self._site,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": CLAIMS, "strict_aud": True},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Refused(str(error)) from error

    def _key(self, kid):
        with self._lock:
            now = time.monotonic()
            old = self._fetched is None or now - self._fetched > KEYS_SECONDS_MAX
            rested = self._tried is None or now - self._tried >= self._fetch_seconds_min
            if (old or kid not in self._keys) and rested:
                self._tried = now
                self._keys, self._fetched, old = self._fetch(), now, False
            if old or not isinstance(kid, str) or kid not in self._keys:
                raise Refused("the door has no such key")
            return self._keys[kid]

    def _fetch(self):
        try:
            with _OPENER.open(self._keys_url, timeout=FETCH_SECONDS_MAX) as answer:
                text = answer.read(KEYS_BYTES_MAX + 1)
            if len(text) > KEYS_BYTES_MAX:
                raise ValueError("too long")
            keys = json.loads(text)["keys"]
            mine = [key for key in keys if (key.get("kty"), key.get("crv"), key.get("alg")) == ("EC", "P-256", ALGORITHM)]
            return {key["kid"]: jwt.PyJWK(key, algorithm=ALGORITHM).key for key in mine}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError) as error:
            raise Refused(f"the door's keys cannot be had: {error}") from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The keys come from the address that was set, or not at all."""

    def redirect_request(self, *_):
        return None


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
