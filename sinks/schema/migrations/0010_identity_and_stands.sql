-- The store knows itself and says from which topics it was filled, and how far (decision 0023).

CREATE TABLE IF NOT EXISTS opslag
(
    id UUID COMMENT 'Identity of this store. A store that was made anew has another; a restored backup has the one it was made of.',
    gemaakt_op DateTime64(3) DEFAULT now64(3) COMMENT 'When the store was made.'
)
ENGINE = MergeTree
ORDER BY gemaakt_op
COMMENT 'Identity of the store: one row, made with the table.';

INSERT INTO opslag (id) SELECT generateUUIDv4() FROM numbers(1) WHERE (SELECT count() FROM opslag) = 0;

CREATE TABLE IF NOT EXISTS standen
(
    topic LowCardinality(String) COMMENT 'Topic of the rows.',
    topic_id String COMMENT 'Id that Kafka gave the topic: one that was made anew has another.',
    partition Int32 COMMENT 'Partition of the topic.',
    offset UInt64 COMMENT 'Next record to read: the rows of all before it are in this store.',
    geschreven_op DateTime64(6) DEFAULT now64(6) COMMENT 'When it was written; the last one counts.'
)
ENGINE = ReplacingMergeTree(geschreven_op)
ORDER BY (topic, topic_id, partition)
COMMENT 'How far the store was filled, per topic and partition; written by the sink after its rows, every few seconds.';

ALTER TABLE trajecten ADD COLUMN IF NOT EXISTS epoch UInt32 MATERIALIZED bitShiftRight(version, 40) COMMENT 'Epoch of the version: rows of a lower one than the others are of a log that is gone.';
ALTER TABLE metingen ADD COLUMN IF NOT EXISTS epoch UInt32 MATERIALIZED bitShiftRight(version, 40) COMMENT 'Epoch of the version: rows of a lower one than the others are of a log that is gone.';
ALTER TABLE scores ADD COLUMN IF NOT EXISTS epoch UInt32 MATERIALIZED bitShiftRight(version, 40) COMMENT 'Epoch of the version: rows of a lower one than the others are of a log that is gone.';
ALTER TABLE receipts ADD COLUMN IF NOT EXISTS epoch UInt32 MATERIALIZED bitShiftRight(version, 40) COMMENT 'Epoch of the version: receipts of a lower one than the others are of a log that is gone.';
