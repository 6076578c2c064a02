// What reads a whole file: the contract of a reader, and which reader takes which kind.
//
// A reader is a pure module (no page, no network, no clock of its own; it runs under Node too). It has
//
//   recognise(text, rules, layout) -> {kind, sender} | null
//     Whether a file is of this reader. ``text``: its first 65,536 bytes as connectors/delivery/recognise.py decodes
//     them (UTF-8 where it can, no mark at the start; unreadable bytes are U+FFFD). ``sender``: the AGB code that the
//     file itself names, or ''. null: not of this reader. Throws ``FileFault`` for what is known and refused (B21, B25).
//     ijw.js is asked only when the text begins with '<' after white space, and cbs.js before the other CSV kinds.
//   read(raw, context) -> FileRecord[] | Promise<FileRecord[]>
//     The records of the whole file, in the order in which the parser of the connector yields them in its last pass.
//     Throws ``FileFault(code, row, veld, found)`` of text.js where the connector raises one: the same code, row and
//     field; ``found`` holds all findings of a refused message, [{code, row, veld}], the first one included.
//
// Nothing is thrown but ``FileFault``; tables, patterns, bounds and code lists come from ``context.rules``: portal/
// rules_ijw.py and rules_cbs.py each have ``told() -> dict``, which rules.py puts under ``rules.ijw`` and ``rules.cbs``.
// Those of a fact's fields come from ``rules.facts``, made from the Avro schema: nothing of it is written by hand.
import { FileFault } from './text.js'

export { FileFault }

/**
 * @typedef {Object} Context
 * @property {import('./checks.js').Rules} rules rules.json
 * @property {string} kind what ``recognise`` said
 * @property {string} sender AGB code of who delivers: a file that names another is refused as the connector does (B09, C11)
 * @property {number} today the Dutch day of delivering, as days since 1970-01-01
 * @property {object | null} layout CBS: the layout of this portal as ``rules_cbs.layout_told(layout)`` gives it; null: none
 * @property {{outside: number}} tally how many records were dropped because they are of another municipality: add to it
 * @property {string} periode CBS: the half year that the file reports, '2026-1'; '' where none was chosen (B17)
 */

/**
 * One record, as connectors/formats/model.py has it: what becomes one sealed line and has one status.
 * @typedef {Object} FileRecord
 * @property {number} regel first row (or element of a message) that it covers, from 1 @property {number} regels how many
 * @property {string[]} cells what its sender sees of it, one for each name of ``COLUMNS[kind]``; the first is the BSN as
 *   it stands in the file ('' if none). They stay in this browser. A date is as the file writes it
 * @property {string} code why it is refused, '' when it is right @property {string} veld of what is wrong
 * @property {string} bsn whose it is; '' when refused, or under a key of CBS
 * @property {string} [fallback] CBS: the key in place of a BSN ('m|…'); blinded under a prefix of its own
 * @property {Fact | null} fact null when refused
 */

/**
 * A fact of schemas/avro: ``{soort: 'Start', gemeente: '0363', …}``, every field of the schema under its own name but
 * ``tijd``, which sealing fills in. Text where the schema says bytes (UTF-8 follows), null where it allows null, days as
 * numbers since 1970-01-01, a map as an object. ``soort`` is the name of the record in the schema; the facts of a
 * reader have no field of that name (``BerichtRetour`` has one, and no browser delivers it).
 * @typedef {{soort: string} & Object<string, string | number | boolean | null | Object<string, number>>} Fact
 */

/** Kind -> the columns of its records, in the order of ``cells``; the words are ``kop-NAME`` of _teksten.html. */
export const COLUMNS = {
  score: ['bsn', 'beschikking', 'toewijzing', 'type', 'waarde'],
  cem: ['bsn', 'meting', 'datum', 'vragenlijst', 'informant', 'vraag'],
  start: ['bsn', 'toewijzing', 'product', 'begindatum', 'statusaanlevering'],
  stop: ['bsn', 'toewijzing', 'product', 'begindatum', 'einddatum', 'reden'],
  declaration: ['bsn', 'toewijzing', 'product', 'begindatum', 'einddatum', 'bedrag'],
  cbs: ['bsn', 'begindatum', 'hulpvorm'],
}

/** Kinds whose files are messages: their records carry how many the message has, and their place in it. */
export const MESSAGES = ['start', 'stop', 'declaration']

/** A record that is right. @returns {FileRecord} */
export const accepted = (regel, regels, cells, bsn, fact) => ({ regel, regels, cells, code: '', veld: '', bsn, fact })

/** A record that is refused. @returns {FileRecord} */
export const refused = (regel, regels, cells, code, veld) => ({ regel, regels, cells, code, veld, bsn: '', fact: null })
