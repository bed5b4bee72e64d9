-- What accounts are shown by, as it was sent.
CREATE TABLE picture (
    account BLOB PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    kind    TEXT NOT NULL,
    tag     BLOB NOT NULL,                          -- eight bytes of its SHA-256
    bytes   BLOB NOT NULL
) STRICT;

-- Of which disuse its holder has been warned: when that began.
ALTER TABLE account ADD COLUMN warned_of INTEGER;
