// Who is calling, as the door says it: checks `X-Stagedoor-Assertion`. To be copied into a console; needs `jose`.
//
//     const caller = verifier("https://console.example.com/.stagedoor/jwks.json", { site: "console", issuer: "Stagedoor" });
//     const { sub, role, sid } = await caller(request);   // an http.IncomingMessage, or Express's request
//
// Address, site and issuer are settings of the console: nothing that a request says decides which key is fetched, or from
// where. Whatever is not wholly right throws: answer 401 then, and show nothing.

import { createRemoteJWKSet, jwtVerify } from "jose";

// The one algorithm there is. What the assertion itself says of it is compared with this and never obeyed.
const ALGORITHM = "ES256";
// By how much the clocks of the door and of this machine may differ.
const LEEWAY_SECONDS = 5;
// An assertion of the door has some 500 bytes.
const ASSERTION_BYTES_MAX = 4096;
const FETCH_SECONDS_MAX = 5;
// A key that the door has withdrawn is believed this much longer.
const KEYS_SECONDS_MAX = 3600;
// An unknown key has the set fetched again, but no more often than this, however many unknown ones come.
const FETCH_SECONDS_MIN = 10;

const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const CLAIMS = ["iss", "aud", "sub", "role", "sid", "iat", "exp"];

/** Checks assertions for one site. `site`: its name in stagedoor.toml, `[site.NAME]`. `issuer`: `[portal] title`. */
export function verifier(keysUrl, { site, issuer, fetchSecondsMin = FETCH_SECONDS_MIN }) {
  const keys = createRemoteJWKSet(new URL(keysUrl), {
    timeoutDuration: FETCH_SECONDS_MAX * 1000,
    cooldownDuration: fetchSecondsMin * 1000,
    cacheMaxAge: KEYS_SECONDS_MAX * 1000,
  });
  const named = (header, token) => {
    if (typeof header.kid !== "string") throw new Error("it does not say by which key it is signed");
    return keys(header, token);
  };
  return async (request) => {
    const values = request.headersDistinct["x-stagedoor-assertion"] ?? [];
    if (values.length !== 1) throw new Error(`one assertion is wanted, not ${values.length}`);
    const [assertion] = values;
    if (assertion.length > ASSERTION_BYTES_MAX || !COMPACT.test(assertion)) throw new Error("that is no assertion");
    const { payload } = await jwtVerify(assertion, named, {
      algorithms: [ALGORITHM],
      audience: site,
      issuer,
      clockTolerance: LEEWAY_SECONDS,
      requiredClaims: CLAIMS,
    });
    if (payload.aud !== site) throw new Error("it is for other sites, too");
    return payload;
  };
}
