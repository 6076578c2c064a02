-- Rows name a client within its provider, beside a coarse bucket, and no longer by a pseudonym; a delivery is known by its sender, its id
-- and its number of records (decision 0015).
--
-- The rows there name clients by pseudonyms, and under numbers that a pseudonym makes. They go now, and do not wait for newer ones to
-- replace them: at its first start the stage trajectories gives out every row anew. A table that is already empty stays as it is.

TRUNCATE TABLE IF EXISTS trajecten;
TRUNCATE TABLE IF EXISTS metingen;
TRUNCATE TABLE IF EXISTS scores;

ALTER TABLE trajecten
    ADD COLUMN IF NOT EXISTS emmer UInt16 COMMENT 'Bucket of the client, 0..1023: the same with every provider and shared by about 25 children of the region, so different buckets are different clients.' AFTER client,
    COMMENT COLUMN client 'Name of the client within its provider: 22 characters (base64url) of a keyed hash of pseudonym and provider. Another provider has another name for it.';

ALTER TABLE metingen
    ADD COLUMN IF NOT EXISTS emmer UInt16 COMMENT 'Bucket of the client, 0..1023: the same with every provider and shared by about 25 children of the region, so different buckets are different clients.' AFTER client,
    COMMENT COLUMN client 'Name of the client within its provider: 22 characters (base64url) of a keyed hash of pseudonym and provider. Another provider has another name for it.',
    COMMENT COLUMN aanlevering 'Delivery whose record counts: the keyed hash of its sender, id and number of records, which no receipt carries; empty for what no line delivered by itself.';

ALTER TABLE scores
    ADD COLUMN IF NOT EXISTS emmer UInt16 COMMENT 'Bucket of the client, 0..1023: the same with every provider and shared by about 25 children of the region, so different buckets are different clients.' AFTER client,
    COMMENT COLUMN client 'Name of the client within its provider: 22 characters (base64url) of a keyed hash of pseudonym and provider. Another provider has another name for it.',
    COMMENT COLUMN aanlevering 'Delivery whose record counts: the keyed hash of its sender, id and number of records, which no receipt carries; empty for what no line delivered by itself.';

ALTER TABLE receipts
    ADD COLUMN IF NOT EXISTS teruggenomen DateTime64(3) COMMENT 'When the delivery was taken back by its source or the functional manager: it counts as never sent. 0 = it was not, or was delivered again since.' AFTER wacht;

-- A sorting key cannot take in a column that is there: the table is made anew with its rows, and takes the place of the old one at once.
CREATE OR REPLACE TABLE receipts
(
    delivery String COMMENT '32 hexadecimal digits: keyed hash of the content under a secret of the connector, so the same content has the same id.',
    kind LowCardinality(String) COMMENT 'start, stop, declaration, score or cem.',
    sender LowCardinality(String) COMMENT 'AGB code of the provider that delivers. Source: iJw header, RAP login, CEM+ zorgaanbieder_id.',
    test Bool COMMENT 'A test delivery: gets a receipt, never reaches figures.',
    lines UInt32 COMMENT 'Records in the delivery; a gap shows that records are missing.',
    gezien UInt32 COMMENT 'Records with an outcome.',
    geaccepteerd UInt32 COMMENT 'Accepted records.',
    afgekeurd UInt32 COMMENT 'Refused records.',
    regels_geaccepteerd UInt32 COMMENT 'Source rows in accepted records.',
    regels_afgekeurd UInt32 COMMENT 'Source rows in refused records.',
    klaar Bool COMMENT 'Every record has an outcome.',
    fouten Array(Tuple(line UInt32, regel UInt32, regels UInt32, code LowCardinality(String), veld LowCardinality(String))) COMMENT 'The first refused records, at most 500.',
    codes Map(LowCardinality(String), UInt32) COMMENT 'Refused records per code.',
    eerste DateTime64(3) COMMENT 'First publication seen.',
    laatste DateTime64(3) COMMENT 'Last publication seen.',
    version UInt64 COMMENT 'Topic epoch and offset of the last line folded in.',
    ingetrokken UInt32 COMMENT 'Records that were accepted and later withdrawn by a return message (JW306, JW308, JW325).',
    wacht Map(LowCardinality(String), UInt32) COMMENT 'Accepted records that still wait, by what they wait for (toewijzing, beschikking, traject); niet_bijgehouden when too many wait here and there.',
    teruggenomen DateTime64(3) COMMENT 'When the delivery was taken back by its source or the functional manager: it counts as never sent. 0 = it was not, or was delivered again since.',
    ingevoegd_op DateTime64(3) DEFAULT now64(3) COMMENT 'When the row was inserted.'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (sender, delivery, lines)
COMMENT 'State of one delivery: counts that grow until every record has an outcome.'
AS SELECT * FROM receipts;
