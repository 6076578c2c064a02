-- Which record of which delivery a meting or score comes from, so that a receipt can say what still waits.

ALTER TABLE metingen
    ADD COLUMN IF NOT EXISTS aanlevering String COMMENT 'Delivery whose record counts: its id, so that a receipt can say what still waits; empty for what no line delivered by itself.' AFTER sinds,
    ADD COLUMN IF NOT EXISTS record UInt32 COMMENT 'Number of that record in its delivery; 0 as above.' AFTER aanlevering;

ALTER TABLE scores
    ADD COLUMN IF NOT EXISTS aanlevering String COMMENT 'Delivery whose record counts: its id, so that a receipt can say what still waits; empty for what no line delivered by itself.' AFTER sinds,
    ADD COLUMN IF NOT EXISTS record UInt32 COMMENT 'Number of that record in its delivery; 0 as above.' AFTER aanlevering;

ALTER TABLE receipts
    ADD COLUMN IF NOT EXISTS wacht Map(LowCardinality(String), UInt32) COMMENT 'Accepted records that still wait, by what they wait for (toewijzing, beschikking, traject); niet_bijgehouden when too many wait here and there.' AFTER ingetrokken;
