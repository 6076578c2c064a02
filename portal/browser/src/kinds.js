// What a list can be: of scores, of CEM+ rows that are put right here, or of files that are put right where they are made.
import * as cem from './cem.js'
import { checker } from './checks.js'
import { $, element, sentence } from './dom.js'

/** @typedef {[number, string[]]} Entry a row number, and its cells as they were read */

/** The rows that a record is made of. @returns {Entry[]} */
export const sourceOf = (row) => row.lines ?? [[row.regel, row.cells]]

const EDITED = {
  score: {
    check: ({ rules }, list) => {
      const check = checker(rules)
      return list.map(([regel, cells]) =>
        cells.length === rules.columns.length ? check(regel, cells) : { regel, cells, code: 'R07', veld: '' })
    },
    isEditable: () => true,
    edit: editScore,
  },
  cem: {
    check: ({ rules, ...context }, list) => cem.metingen(rules, list, { ...context, tally: { outside: 0 } }),
    isEditable: cem.isEditable,
    edit: editMeting,
  },
}

/** Whether rows of this kind are checked and put right here. @param {string} kind */
export const isEdited = (kind) => Object.hasOwn(EDITED, kind)

/** Rows of this kind, checked anew. @param {{rules: object, sender: string, today: number}} context @param {Entry[]} list */
export const check = (kind, context, list) => EDITED[kind].check(context, list)

/** Whether this row can be put right here. */
export const isEditable = (kind, row) => isEdited(kind) && EDITED[kind].isEditable(row)

/** The window in which one row is put right: its rows as they are then, or null when nothing is changed. */
export const edit = (kind, row, note) => EDITED[kind].edit(row, note)

/** Open a window. @returns {Promise<boolean>} whether what stands in it counts */
function asked(dialog) {
  dialog.returnValue = ''
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'bewaar'), { once: true })
  })
}

async function editScore({ regel, cells }, note) {
  const dialog = $('regel-verbeteren'), form = dialog.querySelector('form')
  const names = ['bsn', 'beschikking', 'toewijzing', 'type', 'waarde'].map((name) => form.elements[`verbeter-${name}`])
  names.forEach((input, place) => { input.value = cells.length === 1 ? '' : cells[place] })
  $('verbeter-kop').textContent = sentence('verbeter-regel', { nr: regel })
  $('verbeter-uitleg').textContent = cells.length === 1 ? `${note} ${cells[0]}` : note
  const changed = (await asked(dialog)) ? names.map((input) => input.value.trim()) : null
  form.reset()
  return changed && [[regel, changed]]
}

const OF_METING = ['zorgaanbieder_id', 'bsn', 'meting_id', 'datum_meting', 'informant', 'vragenlijst']

/** Of a meting what all its rows share, and an answer for each of its questions; a question can be left out. */
async function editMeting({ regel, lines }, note) {
  const dialog = $('meting-verbeteren'), form = dialog.querySelector('form')
  const shared = OF_METING.map((name) => form.elements[`meting-${name}`])
  shared.forEach((input, place) => { input.value = lines[0][1][place] })
  const many = OF_METING.length
  const rows = lines.map(([, cells], place) => {
    const field = (name, value) => element('input', {
      className: 'utrecht-textbox', type: 'text', value, ariaLabel: sentence(`meting-${name}`, { nr: lines[place][0] }),
    })
    return [field('vraag', cells[many]), field('antwoord', cells[many + 1])]
  })
  $('meting-antwoorden').replaceChildren(...rows.map((pair) => element('p', { className: 'sor-answer' }, ...pair)))
  $('meting-kop').textContent = sentence('verbeter-regel', { nr: regel })
  $('meting-uitleg').textContent = note
  const taken = await asked(dialog)
  const told = shared.map((input) => input.value.trim())
  const changed = lines.map(([number, cells], place) =>
    [number, [...told, ...rows[place].map((input) => input.value.trim()), ...cells.slice(many + 2)]])
  form.reset()
  $('meting-antwoorden').replaceChildren()
  return taken ? changed.filter(([, cells]) => cells[many]) : null
}
