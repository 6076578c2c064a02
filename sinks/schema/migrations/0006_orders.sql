-- A dead letter names who signed its record, so that what was set aside can be found by source; the audit trail holds every order of an
-- operator, also one about a source and one that leaves a record out.

ALTER TABLE rejected
    ADD COLUMN IF NOT EXISTS source LowCardinality(String) COMMENT 'Who signed it, as the certificate says; empty when nobody knows.' AFTER sender;

ALTER TABLE afhandelingen
    ADD COLUMN IF NOT EXISTS bron LowCardinality(String) COMMENT 'Of release: the source that is taken in again; else empty.' AFTER offset,
    COMMENT COLUMN actie 'requeue: the stage reads it again; drop: left out for good; skip: the stage passes it; release: a source is taken in again.';
