-- Columns for the whole set of messages, the CBS files, the follow-up of an end, and what a row still waits for.

ALTER TABLE trajecten
    ADD COLUMN IF NOT EXISTS bron LowCardinality(String) DEFAULT 'ijw' COMMENT 'ijw: from starts and stops; cbs: from a CBS-structured file.' AFTER vlaggen,
    ADD COLUMN IF NOT EXISTS hulpvorm LowCardinality(String) COMMENT 'CBS 3.3; from the category where the labels agree [R], else empty.' AFTER bron,
    ADD COLUMN IF NOT EXISTS verwijzer LowCardinality(String) COMMENT 'CBS 3.2; empty unless a CBS file says it.' AFTER hulpvorm,
    ADD COLUMN IF NOT EXISTS crisis LowCardinality(String) COMMENT 'CBS 3.4; empty unless a CBS file says it.' AFTER verwijzer,
    ADD COLUMN IF NOT EXISTS intensiteit LowCardinality(String) COMMENT 'perspectief, intensief or duurzaam, by configuration or questionnaire [P]; empty if unknown.' AFTER crisis,
    ADD COLUMN IF NOT EXISTS nieuwe_start Nullable(Date32) COMMENT 'Begindatum of the first new start after the end, any provider and municipality, within the follow-up window [P]; null if none so far.' AFTER intensiteit,
    ADD COLUMN IF NOT EXISTS metingen_einde UInt32 COMMENT 'Linked valid metingen at the end of care.' AFTER nieuwe_start,
    ADD COLUMN IF NOT EXISTS metingen_jaren Array(UInt16) COMMENT 'Calendar years with a linked meting for long-lasting care.' AFTER metingen_einde,
    ADD COLUMN IF NOT EXISTS wacht Map(LowCardinality(String), Date32) COMMENT 'What the row waits for, and since when (logical time): reason to day.' AFTER metingen_jaren,
    COMMENT COLUMN status 'lopend, gepauzeerd, beeindigd, wacht_op_start, wacht_op_levering.';

ALTER TABLE metingen
    ADD COLUMN IF NOT EXISTS bevestigd Bool COMMENT 'The meaning of its questions is confirmed; false: nut and zonder_hulp are placeholders [P].' AFTER telt,
    ADD COLUMN IF NOT EXISTS wacht LowCardinality(String) COMMENT 'Why it is not linked yet; empty when it is.' AFTER bevestigd,
    ADD COLUMN IF NOT EXISTS sinds Nullable(Date32) COMMENT 'Since when it waits (logical time); null when linked.' AFTER wacht;

ALTER TABLE scores
    ADD COLUMN IF NOT EXISTS wacht LowCardinality(String) COMMENT 'Why it is not linked yet; empty when it is.' AFTER traject,
    ADD COLUMN IF NOT EXISTS sinds Nullable(Date32) COMMENT 'Since when it waits (logical time); null when linked.' AFTER wacht;

ALTER TABLE receipts
    ADD COLUMN IF NOT EXISTS ingetrokken UInt32 COMMENT 'Records that were accepted and later withdrawn by a return message (JW306, JW308, JW325).' AFTER version;
