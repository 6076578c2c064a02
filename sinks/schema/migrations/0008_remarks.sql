-- What a rule between messages says of accepted records, as its sender reads it on the receipt.

ALTER TABLE receipts
    ADD COLUMN IF NOT EXISTS opmerkingen Array(Tuple(line UInt32, code LowCardinality(String))) COMMENT 'Accepted records of note, by number and rule: the first 500. They count, and nothing is refused.' AFTER teruggenomen,
    ADD COLUMN IF NOT EXISTS opmerking_codes Map(LowCardinality(String), UInt32) COMMENT 'Accepted records of note per rule; niet_bijgehouden when too many are so here and there.' AFTER opmerkingen,
    COMMENT COLUMN wacht 'Accepted records that still wait, by what they wait for (toewijzing, beschikking, traject, einde); niet_bijgehouden when too many wait here and there.',
    COMMENT COLUMN fouten 'The first refused or withdrawn records, at most 500; a withdrawn one has a return code of four characters.';
