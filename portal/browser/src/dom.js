// The little of a page that the scripts need. Text goes in as text; nothing that was pasted becomes markup.

/** @param {string} id */
export const $ = (id) => document.getElementById(id)

/** An element. @param {string} tag @param {Object<string, unknown>} set properties, or ``data`` for data attributes */
export function element(tag, { data = {}, ...set } = {}, ...children) {
  const made = document.createElement(tag)
  Object.assign(made, set)
  Object.assign(made.dataset, data)
  made.append(...children.filter((child) => child !== null && child !== undefined))
  return made
}

/** A sentence of the page (templates/aanleveren/_teksten.html), with what stands between braces filled in. */
export function sentence(name, values = {}) {
  const place = document.querySelector(`[data-tekst="${name}"]`)
  return (place?.textContent ?? name).trim().replace(/\{(\w+)\}/g, (whole, key) => (key in values ? `${values[key]}` : whole))
}

/** Say something to who looks and to who listens. @param {string} text */
export function say(text) {
  $('stand').textContent = text
}

/** Say what is wrong, and take the reader there. @param {string} text empty: nothing is wrong any more */
export function alarm(text) {
  const place = $('fout')
  place.hidden = !text
  place.textContent = text
  if (text) place.focus()
}

/** A number as the Dutch write it. @param {number} value */
export const number = (value) => value.toLocaleString('nl-NL')

/** A moment as the Dutch write it. @param {number | string} at ms, or text of RFC 3339 */
export const moment = (at) => new Date(at).toLocaleString('nl-NL', { dateStyle: 'short', timeStyle: 'short' })
