-- One row: the store itself. "owner" counts the servers that have opened it, so that one that lost it notices.
CREATE TABLE meta (
    version bigint NOT NULL,
    epoch text NOT NULL,
    owner bigint NOT NULL,
    last_number bigint NOT NULL
);

-- Times are ticks (100 ns since the year 1, UTC). While an execution runs, what is null here comes from its segments.
CREATE TABLE execution (
    number bigint NOT NULL PRIMARY KEY,
    id text NOT NULL UNIQUE,
    epoch text NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    labels text NOT NULL,
    idempotency_key text UNIQUE,
    request text NOT NULL,
    started_at bigint NOT NULL,
    status text NOT NULL,
    completed_at bigint,
    error text,
    cancel_reason text,
    closing_line text,
    first_seq bigint NOT NULL,
    last_seq bigint,
    bytes bigint,
    trimmed bigint NOT NULL,
    kept bigint,
    details bytea
);

CREATE INDEX execution_status ON execution (status, number);
CREATE INDEX execution_kind ON execution (kind, number);
CREATE INDEX execution_kind_status ON execution (kind, status, number);
CREATE INDEX execution_ended ON execution (completed_at, number, kept) WHERE completed_at IS NOT NULL;

-- The same labels as in execution.labels, to find executions by.
CREATE TABLE label (
    execution bigint NOT NULL REFERENCES execution (number),
    name text NOT NULL,
    value text NOT NULL,
    PRIMARY KEY (name, value, execution)
);

CREATE INDEX label_execution ON label (execution);

-- "total" is the packed bytes of the execution up to and with this stretch.
CREATE TABLE segment (
    execution bigint NOT NULL REFERENCES execution (number),
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    total bigint NOT NULL,
    frames bytea NOT NULL
);

CREATE UNIQUE INDEX segment_sequence ON segment (execution, first_seq);

-- Packed frames hardly compress further, and compressing them would cost more than writing them.
ALTER TABLE segment ALTER COLUMN frames SET STORAGE EXTERNAL;
