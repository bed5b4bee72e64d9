-- A file of schema 1 as Stagedoor wrote it (`.dump`), with a session and a recovery code added. Its keys opened a door that is gone.
PRAGMA application_id = 1400137572;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE account (
    id                 BLOB    PRIMARY KEY,
    name               TEXT    NOT NULL UNIQUE,
    name_hash          BLOB    NOT NULL,            -- what failures and locks are kept under
    display_name       TEXT    NOT NULL,
    display_folded     TEXT    NOT NULL,            -- in lower case, for the search
    email              TEXT,
    role               TEXT    NOT NULL,
    grants             TEXT    NOT NULL,            -- JSON
    networks           TEXT    NOT NULL,            -- JSON
    disabled           INTEGER NOT NULL,
    password_temporary INTEGER NOT NULL,
    created_at         INTEGER NOT NULL,
    last_sign_in_at    INTEGER,
    last_used_at       INTEGER,
    reinstated_at      INTEGER,
    version            INTEGER NOT NULL
) STRICT;
INSERT INTO "account" VALUES(X'01A20578744F7B90B10DB6273AF6376D','ann',X'49915E0D7D4B402E3017D010BC1C0E83CAC6C797D6C16E66340FE3268693A6A1','ann Ünal 홍길동','ann ünal 홍길동','ann.X@Example.org','administrator','[]','[]',0,1,1795388109903347,NULL,NULL,NULL,1);
INSERT INTO "account" VALUES(X'01A2057876F179BEACAFBEA86B0A014D','carol',X'4C26D9074C27D89EDE59270C0AC14B71E071B15239519F75474B2F3BA63481F5','','',NULL,'administrator','[]','[]',1,1,1795388110577231,NULL,NULL,NULL,2);
CREATE TABLE api_token (
    name       TEXT    PRIMARY KEY,
    hash       BLOB    NOT NULL UNIQUE,
    scopes     TEXT    NOT NULL,                    -- JSON
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT;
INSERT INTO "api_token" VALUES('local',X'46EBDC646620E3B30BC13F1F71D11F1F0A90218EF0DEFF5C4894D8AEBEFBF027','["*"]',1795388109670914,NULL);
CREATE TABLE audit (
    number          INTEGER PRIMARY KEY,            -- rises by one, no gaps
    at              INTEGER NOT NULL,
    kind            TEXT    NOT NULL,
    actor           TEXT    NOT NULL,
    account         TEXT,
    address         TEXT,
    outcome         TEXT    NOT NULL,
    reason          TEXT,
    rule            TEXT,
    site            TEXT,
    area            TEXT,
    target          TEXT,
    policy_revision INTEGER,
    request_id      TEXT,
    support_code    TEXT,
    session         TEXT,
    details         TEXT    NOT NULL                -- JSON
) STRICT;
INSERT INTO "audit" VALUES(1,1795388109670914,'token.created','setup',NULL,NULL,'done',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[["token","local"],["scopes","*"]]');
INSERT INTO "audit" VALUES(2,1795388109903347,'account.created','token:local','ann',NULL,'done',NULL,NULL,NULL,NULL,NULL,NULL,'01a20578-743b-7250-8b98-8f80fd2a6f3c',NULL,NULL,'[["role","administrator"]]');
INSERT INTO "audit" VALUES(3,1795388110577231,'account.created','token:local','carol',NULL,'done',NULL,NULL,NULL,NULL,NULL,NULL,'01a20578-76e3-78b5-af85-0743c2888f3f',NULL,NULL,'[["role","administrator"]]');
INSERT INTO "audit" VALUES(4,1795388110746591,'account.changed','token:local','carol',NULL,'done',NULL,NULL,NULL,NULL,NULL,NULL,'01a20578-7799-7595-a9ab-b3c458d2e828',NULL,NULL,'[["fields","disabled"],["sessions_ended","0"]]');
CREATE TABLE credential (
    account        BLOB    PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    password_hash  TEXT    NOT NULL,
    totp_sealed    BLOB,
    totp_last_step INTEGER,
    version        INTEGER NOT NULL
) STRICT;
INSERT INTO "credential" VALUES(X'01A20578744F7B90B10DB6273AF6376D','$argon2id$v=19$m=19456,t=2,p=1$XbUXFfHGJmLzBPheyicaPA$TattRmrRbnJEzdPQd0MWzd20jRXscTcECZ5w1k6z2ts',NULL,NULL,1);
INSERT INTO "credential" VALUES(X'01A2057876F179BEACAFBEA86B0A014D','$argon2id$v=19$m=19456,t=2,p=1$V8FUDueW5wWmIGNtyBwQMw$qTL0zcBjvkQEKqd2MjPc+ce5sovsB5qMBtvjyVewkdk',NULL,NULL,1);
CREATE TABLE door_key (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;
INSERT INTO "door_key" VALUES('totp',X'03AF895031772191551EA34259F2A70098645BFE70E4509F90C5F9BB8BF13587');
INSERT INTO "door_key" VALUES('ticket',X'1E7F41C106815B2ECD8F5BFB43D45B20C6AC6431238CAAFA6042E804248C0EE9');
INSERT INTO "door_key" VALUES('names',X'84CA6A29EDAEF9000834BE9E3D79698F18278663505FDEC69CC2BC920D7A5A1D');
CREATE TABLE failure (
    number            INTEGER PRIMARY KEY,
    name_hash         BLOB    NOT NULL,
    source            TEXT    NOT NULL,
    at                INTEGER NOT NULL,
    counts_for_source INTEGER NOT NULL              -- 0: used up by a lock or forgiven; still counts for "anywhere"
) STRICT;
CREATE TABLE lock (
    id        TEXT    PRIMARY KEY,
    name_hash BLOB    NOT NULL,
    source    TEXT,                                 -- NULL: every source
    failures  INTEGER NOT NULL,
    since     INTEGER NOT NULL,
    until     INTEGER NOT NULL
) STRICT;
CREATE TABLE policy (
    revision INTEGER PRIMARY KEY,                   -- rises by one
    sha256   BLOB    NOT NULL,
    text     TEXT    NOT NULL,
    noted_by TEXT    NOT NULL,
    noted_at INTEGER NOT NULL
) STRICT;
INSERT INTO "policy" VALUES(1,X'EE106EC10D9F728368886944F9D6FA12E77742AC286824C277672A7D58CF65BB','# policy.toml: the house rules. What is not allowed here is refused.
#
# Try a rule before you trust it:
#   stagedoor check
#   stagedoor policy show
#   stagedoor policy explain --as NAME --from 203.0.113.7 GET http://localhost:8080/settings
# All keys: docs/reference/policy.md.

# An area is a named set of paths of one site. A path belongs to exactly one area: the most specific pattern wins, whatever
# the order. `*` stands for one segment, `**` at the end for any number of them. What is in no area is refused.
[site.console.areas]
everything = { paths = ["/**"] }
# Cut the console into smaller areas, and roles can differ:
# pictures = { paths = ["/static/**", "/favicon.ico"], open_to = "everyone" }
# welcome = { paths = ["/"], open_to = "signed-in" }
# devices = { paths = ["/devices/**"], manage_also = ["GET /devices/*/delete"], view_also = ["POST /devices/search"] }

# A role says what its accounts may do in each area: "view" (look), "manage" (look and change) or "all" (manage, and every
# named action). `"*"` is every area.
[role.administrator]
may = { "*" = "all" }

# Another role, with less:
# [role.operator]
# may = { devices = "manage", welcome = "view" }
# second_factor = "required"

# Networks have names. Used on a site or a role, they say from where it may be entered.
# [networks]
# office = ["198.51.100.0/24", "2001:db8::/32"]
#
# [site.console]
# networks = ["office"]

# These hold already; write them to change them.
# [session]
# idle = "30m"              # ends after this long without a request
# lifetime = "12h"          # ends after this long whatever happens
# per_account = 1           # sessions of one account at a time
# when_full = "displace"    # a new sign-in ends the oldest session; "refuse" keeps it
#
# [lockout]
# failures = 5              # within ten minutes, from one address, lock the name for a quarter of an hour
# within = "10m"
# for = "15m"

# And this bans accounts that nobody uses.
# [inactivity]
# block_after = "30d"
','start',1795388109510639);
CREATE TABLE recovery_code (
    account BLOB NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    hash    BLOB NOT NULL,
    PRIMARY KEY (account, hash)
) STRICT, WITHOUT ROWID;
INSERT INTO "recovery_code" VALUES(X'01A20578744F7B90B10DB6273AF6376D',X'0101010101010101010101010101010101010101010101010101010101010101');
CREATE TABLE session (
    id            BLOB    PRIMARY KEY,
    token         BLOB    NOT NULL UNIQUE,
    account       BLOB    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    channel       TEXT    NOT NULL,
    address       TEXT    NOT NULL,
    user_agent    TEXT    NOT NULL,
    second_factor INTEGER NOT NULL,
    opened_at     INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    idle_after    INTEGER NOT NULL,                 -- microseconds
    last_used_at  INTEGER NOT NULL,
    ended_at      INTEGER,
    ended_reason  TEXT                              -- JSON
) STRICT;
INSERT INTO "session" VALUES(X'0190000000007000800000000000AAAA',X'0000000000000000000000000000000000000000000000000000000000000000',X'01A20578744F7B90B10DB6273AF6376D','browser','192.0.2.7','a browser',0,1800000000000000,1800003600000000,600000000,1800000000000000,NULL,NULL);
CREATE INDEX account_by_name_hash ON account (name_hash);
CREATE INDEX account_search ON account (name, display_folded, id);
CREATE INDEX session_by_account ON session (account);
CREATE INDEX session_not_ended ON session (account, channel, opened_at) WHERE ended_at IS NULL;
CREATE INDEX session_by_expiry ON session (expires_at);
CREATE INDEX failure_by_name ON failure (name_hash, at);
CREATE INDEX failure_by_source ON failure (name_hash, source, counts_for_source, at);
CREATE INDEX failure_by_time ON failure (at);
CREATE INDEX lock_by_name ON lock (name_hash);
CREATE INDEX lock_by_end ON lock (until);
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_kind ON audit (kind);
CREATE INDEX audit_by_account ON audit (account) WHERE account IS NOT NULL;
CREATE INDEX audit_by_actor ON audit (actor);
CREATE INDEX audit_by_support_code ON audit (support_code) WHERE support_code IS NOT NULL;
COMMIT;
