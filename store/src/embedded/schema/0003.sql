-- Letters that wait. Words and link lie in `sealed`, sealed with a key of the door's.
CREATE TABLE letter (
    id               BLOB    PRIMARY KEY,
    account          BLOB    REFERENCES account (id) ON DELETE CASCADE,
    kind             TEXT    NOT NULL,
    address          TEXT    NOT NULL,
    sealed           BLOB    NOT NULL,
    queued_at        INTEGER NOT NULL,
    due_at           INTEGER NOT NULL,              -- while claimed: when the claim ends
    give_up_at       INTEGER NOT NULL,
    worker           TEXT,                          -- who claimed it last, until how that ended is known
    claim            INTEGER NOT NULL,              -- rises by one with each claim
    failures         INTEGER NOT NULL,
    last_failure     TEXT,
    may_have_arrived INTEGER NOT NULL               -- 1: a try never learned how it ended
) STRICT;
CREATE INDEX letter_by_due ON letter (due_at);
CREATE INDEX letter_by_account ON letter (account, kind) WHERE account IS NOT NULL;
