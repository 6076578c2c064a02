-- The tables of the monitor. A row's key is the whole sorting key, the year included: a row that moves to another provider,
-- municipality or year is given out as deleted under its old key, so no query has to look across partitions.
-- Years that have settled merge into one part by themselves; that is what keeps FINAL at tens of milliseconds.

CREATE TABLE IF NOT EXISTS trajecten
(
    aanbieder LowCardinality(String) COMMENT 'AGB code of the provider.',
    gemeente LowCardinality(String) COMMENT 'Current CBS code of the municipality; empty when not known yet.',
    jaar UInt16 COMMENT 'Year of begindatum; the partition.',
    traject String COMMENT '16 hexadecimal digits.',
    version UInt64 COMMENT 'Topic epoch and offset of the last event folded in; the highest version of a key wins.',
    verwijderd UInt8 COMMENT 'The set of facts no longer yields this row.',
    client String COMMENT 'Pseudonym of the client.',
    cluster LowCardinality(String) COMMENT 'Cluster of the municipality; empty if none. Source: S1.',
    categorie LowCardinality(String) COMMENT 'ProductCategorie. Source: iJw JZ020.',
    code LowCardinality(String) COMMENT 'ProductCode of the last levering.',
    begindatum Date32 COMMENT 'Begindatum of the first levering.',
    einddatum Nullable(Date32) COMMENT 'Einddatum of the last levering; null while running or paused.',
    reden_beeindiging LowCardinality(String) COMMENT 'End reason of the last levering; empty if not ended. Source: iJw JZ588.',
    uitval_klasse LowCardinality(String) COMMENT 'Class of the end reason [R]: gepland, client, aanbieder, wederzijds, neutraal, administratief; empty if not ended.',
    status LowCardinality(String) COMMENT 'lopend, gepauzeerd, beeindigd, wacht_op_start.',
    leveringen UInt16 COMMENT 'Leveringen in the chain.',
    leeftijd Nullable(UInt8) COMMENT 'Completed years at begindatum.',
    geslacht LowCardinality(String) COMMENT 'COD046; empty if unknown.',
    nut_jeugdige Nullable(UInt8) COMMENT 'Mark 1..10 of the latest meting of the youth; question is a placeholder [P].',
    nut_ouder Nullable(UInt8) COMMENT 'As above, parent.',
    zonder_hulp_jeugdige Nullable(UInt8) COMMENT 'Option 1..4 of the latest meting of the youth; question is a placeholder [P].',
    zonder_hulp_ouder Nullable(UInt8) COMMENT 'As above, parent.',
    gas Map(LowCardinality(String), Int8) COMMENT 'Goal and rater (1O) to score -1..2; x is left out. Source: S0, S1.',
    gas_gescoord UInt16 COMMENT 'GAS scores that are not x.',
    gas_bereikt UInt16 COMMENT 'GAS scores of 2.',
    gas_deels UInt16 COMMENT 'GAS scores of 1 or 2.',
    probleem_behandelaar Nullable(UInt8) COMMENT 'Probleemafname 1..3; direction not confirmed.',
    probleem_ouder Nullable(UInt8) COMMENT 'As above.',
    probleem_client Nullable(UInt8) COMMENT 'As above.',
    metingen UInt32 COMMENT 'Linked metingen.',
    scores UInt32 COMMENT 'Linked scores, x included.',
    declaraties Int32 COMMENT 'Net declared lines on its assignments.',
    vlaggen Array(LowCardinality(String)) COMMENT 'Quality flags: rule codes of level 3 and 4 that the facts break.',
    definitie_versie UInt16 COMMENT 'Version of the definitions behind the row.',
    gebeurd_op DateTime64(3) COMMENT 'Publication time of the newest event folded in.',
    ingevoegd_op DateTime64(3) DEFAULT now64(3) COMMENT 'When the row was inserted; against gebeurd_op it gives the latency.'
)
ENGINE = ReplacingMergeTree(version, verwijderd)
PARTITION BY jaar
ORDER BY (aanbieder, gemeente, traject, jaar)
SETTINGS min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'One care trajectory: a pure function of the facts of its client. A traject is a chain of leveringen [P].';

CREATE TABLE IF NOT EXISTS metingen
(
    aanbieder LowCardinality(String) COMMENT 'AGB code of the provider.',
    gemeente LowCardinality(String) COMMENT 'Current CBS code of the municipality; empty when not known yet.',
    jaar UInt16 COMMENT 'Year of datum; the partition.',
    meting String COMMENT '16 hexadecimal digits of the keyed hash.',
    version UInt64 COMMENT 'Topic epoch and offset of the last event folded in; the highest version of a key wins.',
    verwijderd UInt8 COMMENT 'The set of facts no longer yields this row.',
    client String COMMENT 'Pseudonym of the client.',
    vragenlijst LowCardinality(String) COMMENT 'Questionnaire version.',
    groep LowCardinality(String) COMMENT 'jeugdige or ouder; empty if the version is unknown.',
    soort LowCardinality(String) COMMENT 'einde or duurzaam; empty if unknown.',
    informant LowCardinality(String) COMMENT 'As delivered.',
    datum Date32 COMMENT 'datum_meting.',
    nut Nullable(UInt8) COMMENT 'Mark 1..10 [P].',
    zonder_hulp Nullable(UInt8) COMMENT 'Option 1..4 [P].',
    antwoorden Map(LowCardinality(String), Int8) COMMENT 'Question code to answer.',
    traject String COMMENT 'Linked traject; empty while pending.',
    telt Bool COMMENT 'It is the latest of its group on the traject.',
    definitie_versie UInt16 COMMENT 'Version of the definitions behind the row.',
    gebeurd_op DateTime64(3) COMMENT 'Publication time of the newest event folded in.',
    ingevoegd_op DateTime64(3) DEFAULT now64(3) COMMENT 'When the row was inserted; against gebeurd_op it gives the latency.'
)
ENGINE = ReplacingMergeTree(version, verwijderd)
PARTITION BY jaar
ORDER BY (aanbieder, gemeente, meting, jaar)
SETTINGS min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'One CEM+ meting with its link to a traject.';

CREATE TABLE IF NOT EXISTS scores
(
    aanbieder LowCardinality(String) COMMENT 'AGB code of the provider.',
    gemeente LowCardinality(String) COMMENT 'Current CBS code of the municipality; empty when not known yet.',
    jaar UInt16 COMMENT 'Year of upload; the partition.',
    score String COMMENT '16 hexadecimal digits.',
    version UInt64 COMMENT 'Topic epoch and offset of the last event folded in; the highest version of a key wins.',
    verwijderd UInt8 COMMENT 'The set of facts no longer yields this row.',
    client String COMMENT 'Pseudonym of the client.',
    doel UInt8 COMMENT 'Goal 1..10; 0 = probleemafname.',
    beoordelaar LowCardinality(String) COMMENT 'O, C or B.',
    waarde Nullable(Int8) COMMENT 'Null = x.',
    tijd DateTime64(3) COMMENT 'Upload time.',
    traject String COMMENT 'Linked traject; empty while pending.',
    definitie_versie UInt16 COMMENT 'Version of the definitions behind the row.',
    gebeurd_op DateTime64(3) COMMENT 'Publication time of the newest event folded in.',
    ingevoegd_op DateTime64(3) DEFAULT now64(3) COMMENT 'When the row was inserted; against gebeurd_op it gives the latency.'
)
ENGINE = ReplacingMergeTree(version, verwijderd)
PARTITION BY jaar
ORDER BY (aanbieder, gemeente, score, jaar)
SETTINGS min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'One GAS or probleemafname score with its link to a traject.';

CREATE TABLE IF NOT EXISTS rejected
(
    stage LowCardinality(String) COMMENT 'Process that refused it.',
    topic LowCardinality(String) COMMENT 'Topic of the record.',
    partition Int32 COMMENT 'Partition of the record.',
    offset Int64 COMMENT 'Offset of the record.',
    code LowCardinality(String) COMMENT 'Reason code.',
    reason String COMMENT 'Sentence for the operator; never content.',
    delivery String COMMENT '32 hexadecimal digits: keyed hash of the content under a secret of the connector, so the same content has the same id.',
    line UInt32 COMMENT 'Number of this record in its delivery, 1..lines, without gaps.',
    sender LowCardinality(String) COMMENT 'AGB code of the provider that delivers. Source: iJw header, RAP login, CEM+ zorgaanbieder_id.',
    rejected_at DateTime64(3) COMMENT 'When it was refused.',
    ingevoegd_op DateTime64(3) DEFAULT now64(3) COMMENT 'When the row was inserted.'
)
ENGINE = ReplacingMergeTree(rejected_at)
ORDER BY (topic, partition, offset)
COMMENT 'A record that could not be read, with its coordinates.';

CREATE TABLE IF NOT EXISTS receipts
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
    ingevoegd_op DateTime64(3) DEFAULT now64(3) COMMENT 'When the row was inserted.'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (sender, delivery)
COMMENT 'State of one delivery: counts that grow until every record has an outcome.';
