-- Releases: what became of each, what each says, and the rows behind it. These tables are the third party's own. What an audience sees
-- is a copy of a part of them in a database of its own, which publishing makes.

CREATE TABLE IF NOT EXISTS vrijgaven
(
    vrijgave UInt32 COMMENT 'Number of the release.',
    op DateTime64(3) DEFAULT now64(3) COMMENT 'When.',
    stand LowCardinality(String) COMMENT 'What became of it: gebouwd, goedgekeurd or geweigerd by the gate, gepubliceerd, ingetrokken.',
    dag Date32 COMMENT 'Day of the release: decides which periods are closed.',
    basis UInt32 COMMENT 'Release that was published when this one was built; 0 = none.',
    definitie_versie UInt16 COMMENT 'Version of the definitions that its rows were made by.',
    reden String COMMENT 'Why: of a revision or a withdrawal, in the words of who ordered it.',
    door LowCardinality(String) COMMENT 'Who: user of the operating system.',
    regels String COMMENT 'Of gebouwd: the limits that it was built by (JSON).',
    rapport String COMMENT 'Of goedgekeurd and geweigerd: the report of the gate (JSON); it names groups and no child.'
)
ENGINE = MergeTree
ORDER BY (vrijgave, op)
COMMENT 'Releases and what became of them. Never changed, only added to.';

CREATE TABLE IF NOT EXISTS vrijgave_cijfers
(
    vrijgave UInt32 COMMENT 'Number of the release that says so.',
    gemaakt_in UInt32 COMMENT 'Release in which the figure first stood so: its rows stand under that number.',
    familie LowCardinality(String) COMMENT 'Figures with one denominator.',
    indicator LowCardinality(String) COMMENT 'Key of the figure.',
    periode_soort LowCardinality(String) COMMENT 'maand, kwartaal or vier_kwartalen.',
    periode LowCardinality(String) COMMENT '2026-09, or 2026-K3; of four quarters the last.',
    status LowCardinality(String) COMMENT 'voorlopig, nader voorlopig or definitief.',
    snede LowCardinality(String) COMMENT 'The cut.',
    gemeente LowCardinality(String) COMMENT 'CBS code; empty where the cut does not use it, as the next ones.',
    cluster LowCardinality(String) COMMENT 'Cluster.',
    aanbieder LowCardinality(String) COMMENT 'AGB code of the provider.',
    categorie LowCardinality(String) COMMENT 'ProductCategorie.',
    leeftijd LowCardinality(String) COMMENT 'Band of ages.',
    geslacht LowCardinality(String) COMMENT 'man or vrouw.',
    filter LowCardinality(String) COMMENT 'Column of the filter; two, joined by x.',
    filterwaarde String COMMENT 'Its value.',
    noemer UInt32 COMMENT 'Counted, to the nearest 5.',
    teller Nullable(UInt32) COMMENT 'Of them, rounded after noise; null = not shown.',
    teller_vorm LowCardinality(String) COMMENT 'How the numerator is meant: =, <= or >=.',
    percentage Nullable(UInt8) COMMENT 'Whole, of the numbers shown.',
    gemiddelde Nullable(Decimal(3, 1)) COMMENT 'Mean of marks, on its grid.',
    uitgesloten UInt32 COMMENT 'Left out, to the nearest 5.',
    laag Int64 COMMENT 'What the true numerator is at least, to who knows the rules. Seen by no audience.',
    hoog Int64 COMMENT 'And at most.',
    definitie_versie UInt16 COMMENT 'Version of the definitions behind it.',
    verborgen LowCardinality(String) COMMENT 'Why it is not shown: genest, rest, poort; empty = it is.',
    publiek Array(LowCardinality(String)) COMMENT 'Databases that show it.',
    gezet_op DateTime64(3) DEFAULT now64(3) COMMENT 'When it was written; what the gate withholds is written once more.'
)
ENGINE = ReplacingMergeTree(gezet_op)
ORDER BY (vrijgave, familie, snede, indicator, periode_soort, periode, gemeente, cluster, aanbieder, categorie, leeftijd, geslacht, filter, filterwaarde)
COMMENT 'What each release says, and to whom. Figures of groups, no rows.';

CREATE TABLE IF NOT EXISTS vrijgave_leden
(
    vrijgave UInt32 COMMENT 'Release in which the figures of the group were made.',
    familie LowCardinality(String) COMMENT 'Figures with one denominator.',
    periode_soort LowCardinality(String) COMMENT 'As in vrijgave_cijfers, and the next ones.',
    periode LowCardinality(String) COMMENT 'Period.',
    snede LowCardinality(String) COMMENT 'Cut.',
    gemeente LowCardinality(String) COMMENT 'Group.',
    cluster LowCardinality(String) COMMENT 'Group.',
    aanbieder LowCardinality(String) COMMENT 'Group.',
    categorie LowCardinality(String) COMMENT 'Group.',
    leeftijd LowCardinality(String) COMMENT 'Group.',
    geslacht LowCardinality(String) COMMENT 'Group.',
    filter LowCardinality(String) COMMENT 'Group.',
    filterwaarde String COMMENT 'Group.',
    leden Array(Int64) CODEC(Delta, ZSTD) COMMENT 'Ids of the rows in the denominator, sorted: pseudonymised personal data.',
    emmers Array(UInt16) COMMENT 'Bucket of the client of each.',
    waarden Array(UInt32) COMMENT 'What each says: a bit for each figure of the family, a mark from bit 24.',
    aanbieders Array(UInt32) COMMENT 'Provider of each: its AGB code as a number.',
    uitgesloten UInt32 COMMENT 'Rows left out of the group.'
)
ENGINE = MergeTree
ORDER BY (vrijgave, familie, snede, periode_soort, periode, gemeente, cluster, aanbieder, categorie, leeftijd, geslacht, filter, filterwaarde)
COMMENT 'The rows behind released figures: the next release and the gate read them. Read by nobody else.';
