-- What a product is by the table of the region, by which table that was, and in which area of the region the client lives.

ALTER TABLE trajecten
    ADD COLUMN IF NOT EXISTS segment LowCardinality(String) COMMENT 'Segment of the product of the last levering (A, B or C) by the table of SPICs [P]; empty if unknown.' AFTER wacht,
    ADD COLUMN IF NOT EXISTS profiel LowCardinality(String) COMMENT 'Profiel of that product by the same table [P]; empty if unknown.' AFTER segment,
    ADD COLUMN IF NOT EXISTS spic LowCardinality(String) COMMENT 'Which table of SPICs made the row: 16 hexadecimal digits of its content; empty where no product decides.' AFTER profiel,
    ADD COLUMN IF NOT EXISTS postcodegebied LowCardinality(String) COMMENT 'Area of the region in which the client lives, by the four digits of the postcode, which stay at the source; empty if unknown. A small area says much: shown by the rule for small groups only.' AFTER spic,
    COMMENT COLUMN intensiteit 'perspectief, intensief, duurzaam_licht or duurzaam_zwaar, by the table of SPICs [P]; duurzaam by questionnaire alone; empty if unknown.';
