// The files in a zip file, in order of name, with the bounds of connectors/formats/files.py.
import { Archive, Damaged } from './cbs_zip.js'
import { FileFault } from './text.js'

/** Bytes of all that a page unpacks from one file. */
const MOST_UNPACKED = 64_000_000
const ENCRYPTED = 0x1
/** Stored and deflated. */
const METHODS = [0, 8]
const begins = (raw, third, fourth) => raw[0] === 0x50 && raw[1] === 0x4b && raw[2] === third && raw[3] === fourth
const isZip = (raw) => begins(raw, 3, 4) || begins(raw, 5, 6)
const isHidden = (path) => path.split('/').at(-1).startsWith('.') || path.startsWith('__MACOSX/')

/**
 * A file, or those in it when it is a zip file; an Excel sheet is a file by itself. What cannot be read has a ``fault``.
 * @param {Uint8Array} raw @param {string} name @param {import('./checks.js').Rules} rules
 * @returns {AsyncGenerator<{name: string, raw?: Uint8Array, fault?: FileFault}>}
 */
export async function* unpacked(raw, name, { recognise: { zip } }) {
  if (!isZip(raw)) {
    yield { name, raw }
    return
  }
  let archive = null
  try {
    archive = new Archive(raw, { ...zip, unpacked: MOST_UNPACKED })
  } catch (error) {
    yield { name, fault: faultOf(error) }
    return
  }
  if ([zip.sheet, ...zip.texts].some((part) => archive.has(part))) yield { name, raw }
  else if (zip.office.some((part) => archive.has(part))) yield { name, fault: new FileFault('B14') }
  else yield* members(archive, name, zip)
}

async function* members(archive, name, zip) {
  const paths = [...archive.entries.keys()].filter((path) => !path.endsWith('/') && !isHidden(path))
  for (const path of paths.sort((a, b) => (a < b ? -1 : 1))) {
    const { size, packed, flags, method } = archive.entries.get(path), shown = `${name}/${path}`
    try {
      if (flags & ENCRYPTED || !METHODS.includes(method)) throw new Damaged()
      if (size > zip.ratio_from && size > zip.ratio * Math.max(1, packed)) throw new FileFault('B11')
      const inside = await archive.read(path)
      if (isZip(inside)) throw new FileFault('B12')
      yield { name: shown, raw: inside }
    } catch (error) {
      yield { name: shown, fault: faultOf(error) }
    }
  }
}

function faultOf(error) {
  if (error instanceof Damaged) return new FileFault('B10')
  if (error instanceof FileFault) return error
  throw error
}
