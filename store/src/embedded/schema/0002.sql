-- Who is invited, what they hold, and the links that let them in once.

ALTER TABLE account ADD COLUMN accepted_at INTEGER;                             -- NULL: invited
ALTER TABLE account ADD COLUMN invited_at INTEGER;                              -- NULL: no invitation waits
ALTER TABLE account ADD COLUMN invitation_expires_at INTEGER;
ALTER TABLE account ADD COLUMN second_factor_demanded INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN preferences TEXT NOT NULL DEFAULT '{}';          -- JSON
ALTER TABLE account ADD COLUMN email_folded TEXT;                               -- in lower case, for the reset by e-mail
UPDATE account SET accepted_at = created_at, email_folded = lower(email);

-- What the rules about roles count.
CREATE INDEX account_by_role ON account (role, disabled, accepted_at, id);
CREATE INDEX account_by_email ON account (email_folded) WHERE email_folded IS NOT NULL;
DROP INDEX account_search;
CREATE INDEX account_search ON account (name, display_folded, role, id);

CREATE TABLE link (
    account             BLOB    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    purpose             TEXT    NOT NULL,           -- one of a purpose for each account
    hash                BLOB    NOT NULL UNIQUE,
    email               TEXT,                       -- the address to be confirmed
    credentials_version INTEGER NOT NULL,           -- worthless once the account has others
    made_at             INTEGER NOT NULL,
    expires_at          INTEGER NOT NULL,
    PRIMARY KEY (account, purpose)
) STRICT;
CREATE INDEX link_by_expiry ON link (expires_at);

-- How often something was asked for by or for somebody: hashes only.
CREATE TABLE asked (
    number INTEGER PRIMARY KEY,
    key    BLOB    NOT NULL,
    at     INTEGER NOT NULL
) STRICT;
CREATE INDEX asked_by_key ON asked (key, at);
CREATE INDEX asked_by_time ON asked (at);

CREATE TABLE device (
    id            BLOB    PRIMARY KEY,
    name          TEXT    NOT NULL UNIQUE,
    key_hash      BLOB    NOT NULL UNIQUE,
    registered_at INTEGER NOT NULL,
    last_seen_at  INTEGER,
    account       BLOB    REFERENCES account (id) ON DELETE SET NULL    -- NULL: linked to none
) STRICT;
CREATE INDEX device_by_account ON device (account) WHERE account IS NOT NULL;

ALTER TABLE session ADD COLUMN device BLOB;         -- ends when the device is unlinked
CREATE INDEX session_by_device ON session (device) WHERE device IS NOT NULL;

ALTER TABLE api_token ADD COLUMN account BLOB REFERENCES account (id) ON DELETE CASCADE;
CREATE INDEX api_token_by_account ON api_token (account) WHERE account IS NOT NULL;
