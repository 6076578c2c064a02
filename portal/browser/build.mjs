// node build.mjs OUT: what the pages load, into the folder OUT. The same sources and lock give the same bytes anywhere.
import { build } from 'esbuild'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const out = process.argv[2]
const modules = join(here, '..', 'node_modules')
const { dependencies } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'))
const PAGES = ['worker', 'aanleveren', 'aanleveringen']

/** The packages of others that ended up in a bundle. */
async function scripts() {
  const found = new Set()
  for (const name of PAGES) {
    const { metafile } = await build({
      entryPoints: [join(here, 'src', `${name}.js`)], outfile: join(out, 'js', `${name}.js`), bundle: true, minify: true,
      format: 'esm', target: 'es2022', charset: 'utf8', legalComments: 'none', logLevel: 'error', metafile: true,
      nodePaths: [modules],
    })
    hexadecimal(join(out, 'js', `${name}.js`))
    for (const path of Object.keys(metafile.inputs)) {
      const [, inside] = path.split('node_modules/')
      if (inside) found.add(inside.split('/').slice(0, inside.startsWith('@') ? 2 : 1).join('/'))
    }
  }
  return found
}

/** Constants of nine digits in tables, as SHA-512 has: in another form nobody takes one for the number of a person. */
function hexadecimal(path) {
  const text = readFileSync(path, 'utf8')
  writeFileSync(path, text.replace(/(?<=[[,])\d{9}(?=[,\]])/g, (digits) => `0x${Number(digits).toString(16)}`))
}

/** Of the tokens only those that something names, and the basic ones: the theme has thousands of components. */
function tokens(text, used) {
  const all = new Map([...text.matchAll(/^ {2}(--[\w-]+): (.*);$/gm)].map(([, name, value]) => [name, value]))
  const kept = new Set()
  const keep = (part) => {
    for (const [name] of part.matchAll(/--[\w-]+/g)) {
      if (all.has(name) && !kept.has(name)) {
        kept.add(name)
        keep(all.get(name))
      }
    }
  }
  keep(used)
  for (const name of all.keys()) if (name.startsWith('--basis-')) keep(name)
  return `:root,.voorbeeld-theme{\n${[...all].filter(([name]) => kept.has(name)).map(([name, value]) => `${name}:${value};`).join('\n')}\n}\n`
}

/** Components of NL Design System, the tokens that they use, and our own overrides. */
async function styles() {
  const names = Object.keys(dependencies).filter((name) => name.endsWith('-css')).sort()
  const components = names.map((name) => readFileSync(join(modules, name, 'dist', 'index.css'), 'utf8')).join('\n')
  const own = readFileSync(join(here, 'css', 'own.css'), 'utf8')
  const theme = readFileSync(join(modules, '@nl-design-system-unstable/voorbeeld-design-tokens/dist/theme.css'), 'utf8')
  const contents = `${tokens(theme, components + own)}${components}\n${own}`
  await build({
    stdin: { contents, loader: 'css', resolveDir: here }, outfile: join(out, 'css', 'nlds.css'), minify: true,
    charset: 'utf8', legalComments: 'none', logLevel: 'error',
  })
  return [...names, '@nl-design-system-unstable/voorbeeld-design-tokens']
}

/** Name, version, licence and, where it brings one, the text of the licence. */
function licence(name) {
  const folder = join(modules, name)
  const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find((one) => /^licen[sc]e/i.test(one))
  const text = file && existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8').trim() : ''
  const brief = about.license === 'EUPL-1.2' ? 'European Union Public Licence 1.2.' : text
  return `${name} ${about.version} (${about.license})\n\n${brief}\n`
}

mkdirSync(join(out, 'js'), { recursive: true })
mkdirSync(join(out, 'css'), { recursive: true })
const used = new Set([...(await scripts()), ...(await styles())])
writeFileSync(join(out, 'js', 'licences.txt'), [...used].sort().map(licence).join('\n\n'))
