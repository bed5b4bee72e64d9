-- Times are microseconds since 1970-01-01T00:00:00Z. Ids are the 16 bytes of a UUID v7. Hashes are SHA-256.

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
CREATE INDEX account_by_name_hash ON account (name_hash);
-- Holds all that the search looks at, so that a search never reads the wide rows.
CREATE INDEX account_search ON account (name, display_folded, id);

CREATE TABLE credential (
    account        BLOB    PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    password_hash  TEXT    NOT NULL,
    totp_sealed    BLOB,
    totp_last_step INTEGER,
    version        INTEGER NOT NULL
) STRICT;

CREATE TABLE recovery_code (
    account BLOB NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    hash    BLOB NOT NULL,
    PRIMARY KEY (account, hash)
) STRICT, WITHOUT ROWID;

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
CREATE INDEX session_by_account ON session (account);
-- Ended sessions are many, and looked at by nobody who opens one.
CREATE INDEX session_not_ended ON session (account, channel, opened_at) WHERE ended_at IS NULL;
CREATE INDEX session_by_expiry ON session (expires_at);

CREATE TABLE failure (
    number            INTEGER PRIMARY KEY,
    name_hash         BLOB    NOT NULL,
    source            TEXT    NOT NULL,
    at                INTEGER NOT NULL,
    counts_for_source INTEGER NOT NULL              -- 0: used up by a lock or forgiven; still counts for "anywhere"
) STRICT;
CREATE INDEX failure_by_name ON failure (name_hash, at);
CREATE INDEX failure_by_source ON failure (name_hash, source, counts_for_source, at);
CREATE INDEX failure_by_time ON failure (at);

CREATE TABLE lock (
    id        TEXT    PRIMARY KEY,
    name_hash BLOB    NOT NULL,
    source    TEXT,                                 -- NULL: every source
    failures  INTEGER NOT NULL,
    since     INTEGER NOT NULL,
    until     INTEGER NOT NULL
) STRICT;
CREATE INDEX lock_by_name ON lock (name_hash);
CREATE INDEX lock_by_end ON lock (until);

CREATE TABLE api_token (
    name       TEXT    PRIMARY KEY,
    hash       BLOB    NOT NULL UNIQUE,
    scopes     TEXT    NOT NULL,                    -- JSON
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT;

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
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_kind ON audit (kind);
CREATE INDEX audit_by_account ON audit (account) WHERE account IS NOT NULL;
CREATE INDEX audit_by_actor ON audit (actor);
CREATE INDEX audit_by_support_code ON audit (support_code) WHERE support_code IS NOT NULL;

CREATE TABLE door_key (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

CREATE TABLE policy (
    revision INTEGER PRIMARY KEY,                   -- rises by one
    sha256   BLOB    NOT NULL,
    text     TEXT    NOT NULL,
    noted_by TEXT    NOT NULL,
    noted_at INTEGER NOT NULL
) STRICT;
