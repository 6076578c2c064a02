-- What an operator did with a record that could not be read: the audit line of every requeue and drop.

CREATE TABLE IF NOT EXISTS afhandelingen
(
    topic LowCardinality(String) COMMENT 'Topic of the record.',
    partition Int32 COMMENT 'Partition of the record.',
    offset Int64 COMMENT 'Offset of the record.',
    actie LowCardinality(String) COMMENT 'requeue: put back into its topic; drop: left out for good.',
    reden String COMMENT 'Why, in the words of the operator.',
    door LowCardinality(String) COMMENT 'Who: user of the operating system.',
    op DateTime64(3) DEFAULT now64(3) COMMENT 'When.'
)
ENGINE = MergeTree
ORDER BY (topic, partition, offset, op)
COMMENT 'Audit trail of records taken out of rejected by hand. Never changed, only added to.';
