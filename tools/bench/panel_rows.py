"""Rows for the benchmark of the pages, made by the engine: trajecten, metingen and scores, and what was released.

Eight years, 400 providers, 13 municipalities and Almere (CBS files), three in four ended, spread more evenly than in
life. Five providers give care outside the figures, as in life only certified institutions do (one traject in eighty).
Made up from hashes of a number: the same number is always the same traject, so that a later version replaces the row of
before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from clickhouse_connect.driver.client import Client

from sinks.schema.audiences import Audience
from tools.bench.figures import Tell

_CHUNK: Final = 500_000
#: What a number says about its traject, and when its row came in: the first version some days ago.
_TRAJECT: Final = """
WITH cityHash64(number) AS h,
  ['0363', '0358', '0362', '0384', '0437', '0451', '0385', '0415', '0431', '0439', '0479', '0852', '0880', '0034']
    AS towns,
  ['Amsterdam', 'Amstelveen-Aalsmeer', 'Amstelveen-Aalsmeer', 'DUO', 'DUO', 'DUO', 'Zaanstreek-Waterland',
   'Zaanstreek-Waterland', 'Zaanstreek-Waterland', 'Zaanstreek-Waterland', 'Zaanstreek-Waterland',
   'Zaanstreek-Waterland', 'Zaanstreek-Waterland', ''] AS clusters,
  if(h % 29 = 0, 14, 1 + h % 13) AS town, town = 14 AS is_cbs,
  toDate('2018-01-01') + h % 2900 AS begin, h % 4 > 0 AS ended, 1 + h % 5 AS class,
  toString(90000000 + intDiv(h, 7) % 400) AS provider, hex(cityHash64(number, 'traject')) AS name,
  leftPad(toString(intDiv(number, 2)), 22, '0') AS who, intDiv(number, 2) % 1024 AS bucket,
  begin + if(ended, 30 + h % 700, 200) AS day,
  now64(3) - toIntervalDay(if({version:UInt64} = 1, 3, 0)) AS came
"""
#: Which numbers, each ``{each}`` times; of trajecten that began in ``{since}`` or later.
_NUMBERS: Final = """
FROM (SELECT number, arrayJoin(range({each:UInt8})) AS at FROM numbers({first:UInt64}, {rows:UInt64}))
WHERE toYear(begin) >= {since:UInt16} SETTINGS max_partitions_per_insert_block = 100
"""
_TRAJECTEN: Final = f"""
INSERT INTO sor.trajecten (aanbieder, gemeente, jaar, traject, version, verwijderd, client, emmer, cluster,
  categorie, code, begindatum, einddatum, reden_beeindiging, uitval_klasse, status, leveringen, leeftijd, geslacht,
  nut_jeugdige, nut_ouder, zonder_hulp_jeugdige, zonder_hulp_ouder, gas, gas_gescoord, gas_bereikt, gas_deels,
  probleem_behandelaar, probleem_ouder, probleem_client, metingen, scores, declaraties, vlaggen, definitie_versie,
  bron, intensiteit, metingen_einde, metingen_jaren, postcodegebied, gebeurd_op,
  ingevoegd_op)
{_TRAJECT}
SELECT provider, towns[town], toYear(begin), name, {{version:UInt64}}, 0, who, bucket, clusters[town],
  if(intDiv(h, 7) % 80 = 7, '48', ['45', '54', '41', '50'][1 + h % 4]), concat('45A', toString(10 + h % 80)), begin,
  if(ended, day, NULL), if(ended, ['31', '31', '31', '32', '34'][class], ''),
  if(ended, ['gepland', 'gepland', 'gepland', 'client', 'wederzijds'][class], ''),
  if(ended, 'beeindigd', 'lopend'), 1 + h % 3, h % 18, toString(1 + h % 2),
  if(h % 4 = 0, 1 + h % 10, NULL), if(h % 3 = 0, 1 + h % 10, NULL), NULL, if(h % 3 = 0, 1 + h % 4, NULL),
  if(h % 2 = 0, map('1O', toInt8(h % 4) - 1), map()), h % 2 = 0, h % 8 = 6, h % 4 = 2, if(h % 3 = 0, 1 + h % 3, NULL),
  NULL, NULL, 2, 2, h % 24, [], 1, if(is_cbs, 'cbs', 'ijw'),
  if(h % 6 = 0, 'duurzaam_zwaar', 'perspectief'), h % 3 > 0, if(h % 6 = 0, [toYear(begin) + 1], []),
  toString(1 + h % 99), came - INTERVAL 1 SECOND, came
{_NUMBERS}"""
_METINGEN: Final = f"""
INSERT INTO sor.metingen (aanbieder, gemeente, jaar, meting, version, verwijderd, client, emmer, vragenlijst, groep,
  soort, informant, datum, nut, zonder_hulp, antwoorden, traject, telt, bevestigd, definitie_versie, gebeurd_op,
  ingevoegd_op)
{_TRAJECT}, cityHash64(number, at) AS own
SELECT provider, towns[town], toYear(day), hex(cityHash64(number, at, 'meting')), {{version:UInt64}}, 0, who, bucket,
  'CEM-plus-2024', ['jeugdige', 'ouder'][1 + at], if(is_cbs, 'cbs', 'einde'), '1', day,
  if(own % 9 > 0, 1 + own % 10, NULL), if(own % 7 > 0, 1 + own % 4, NULL),
  map('V1', toInt8(own % 5), 'V2', toInt8(own % 4), 'V3', toInt8(own % 3)), name, own % 10 > 0, 0, 1,
  came - INTERVAL 1 SECOND, came
{_NUMBERS}"""
_SCORES: Final = f"""
INSERT INTO sor.scores (aanbieder, gemeente, jaar, score, version, verwijderd, client, emmer, doel, beoordelaar, waarde,
  tijd, traject, definitie_versie, gebeurd_op, ingevoegd_op)
{_TRAJECT}, cityHash64(number, at, 'waarde') AS own
SELECT provider, towns[town], toYear(day), hex(cityHash64(number, at, 'score')), {{version:UInt64}}, 0, who, bucket,
  1 + at, 'O', if(own % 11 > 0, toInt8(own % 4) - 1, NULL), toDateTime64(day, 3), name, 1,
  came - INTERVAL 1 SECOND, came
{_NUMBERS}"""
#: Table -> how it is filled, and how many rows a traject has in it.
_TABLES: Final = {"trajecten": (_TRAJECTEN, 1), "metingen": (_METINGEN, 2), "scores": (_SCORES, 2)}
#: Rows of the three tables for one traject.
EACH: Final = sum(each for _, each in _TABLES.values())
#: Figures of a place: 21 periods, the place as a whole, and 356 groups by provider, category, age and sex.
_RELEASED: Final = """
INSERT INTO {database:Identifier}.cijfers (vrijgave, periode_soort, periode, status, snede, gemeente, cluster,
  aanbieder, categorie, leeftijd, geslacht, filter, filterwaarde, indicator, noemer, teller, teller_vorm, percentage,
  gemiddelde, uitgesloten, peildatum, definitie_versie, bevestigd, reden)
WITH {keys:Array(String)} AS keys, keys[1 + number % length(keys)] AS key, intDiv(number, length(keys)) AS rest,
  rest % 21 AS period, intDiv(rest, 21) % 357 AS cell, 2023 + intDiv(period, 4) AS year,
  cell BETWEEN 1 AND 120 OR cell >= 150 AS of_provider, cell BETWEEN 121 AND 135 AS of_category,
  cell BETWEEN 136 AND 139 OR cell >= 142 AS of_age, cell BETWEEN 140 AND 149 AS of_sex,
  cityHash64(number) AS h, endsWith(key, 'gemiddelde') AS mean
SELECT 1 + intDiv(rest, 21 * 357), if(period < 12, 'kwartaal', 'vier_kwartalen'),
  concat(toString(if(period < 12, year, year - 2)), '-K', toString(1 + period % 4)), 'definitief',
  concat('snede', toString(of_provider + 2 * of_category + 4 * of_age + 8 * of_sex)), {gemeente:String},
  {cluster:String}, if(of_provider, toString(90000000 + cell % 120), ''), if(of_category, toString(40 + cell), ''),
  if(of_age, ['0-3', '4-11', '12-15', '16-17'][1 + cell % 4], ''), if(of_sex, ['man', 'vrouw'][1 + cell % 2], ''),
  '', '', key, 20 + 5 * (h % 90), 5 * (h % 4), '=', if(mean, NULL, h % 100), if(mean, 7.5, NULL), 5 * (h % 3),
  toDate('2026-05-15'), 1, 1, ''
FROM numbers({rows:UInt64})
"""


def fingerprint() -> str:
    """Which rows these are: another text of this module makes others."""
    every = "".join([_RELEASED, *(query for query, _ in _TABLES.values())])
    return hashlib.sha256(every.encode()).hexdigest()[:16]


def fill(client: Client, first: int, rows: int, version: int, since: int = 0) -> None:
    """Trajecten of these numbers with their metingen and scores, in one version."""
    for query, each in _TABLES.values():
        sizes = {"first": first, "rows": rows, "version": version, "since": since, "each": each}
        client.command(query, parameters=sizes)


def make(client: Client, rows: int, tell: Tell) -> None:
    """All of them, merged as settled years are."""
    for first in range(0, rows, _CHUNK):
        tell(f"{first:,} of {rows:,} trajecten")
        fill(client, first, min(_CHUNK, rows - first), 1)
    for table in _TABLES:
        tell(f"merging {table} as settled years do")
        for (year,) in client.query(f"SELECT DISTINCT jaar FROM sor.{table} ORDER BY jaar").result_rows:  # noqa: S608
            client.command(f"OPTIMIZE TABLE sor.{table} PARTITION {int(year)} FINAL")


def release(client: Client, audience: Audience, keys: Sequence[str], rows: int) -> None:
    """So many released figures of the place of an audience, in its tables."""
    place = {"gemeente": "", "cluster": ""} | {"gemeente" if audience.kind == "gemeente" else "cluster": audience.place}
    client.command(_RELEASED, parameters={"database": audience.database, "keys": list(keys), "rows": rows, **place})
