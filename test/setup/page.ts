/**
 * `npm run page`: writes lib/http/page/page-text.ts, the HTML of the page in one text, from lib/page. It is committed: the
 * executable, the npm package and tests need neither Preact nor a bundler. A test holds it to its sources.
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { read, root } from '../style/repository.ts'

export const pagePath = 'lib/http/page/page-text.ts'

/** Of the HTML, in bytes, without what the server adds. */
export const pageBytesMax = 40_000

/** Returns the text of lib/http/page/page-text.ts. */
export async function pageModule(): Promise<string> {
  const style = withoutSpace(read('lib/page/style.css'))
  const script = (await bundled('lib/page/main.tsx')).replaceAll('</script', String.raw`<\/script`)
  // Replaced by functions: a text with "$&" stays what it is.
  const html = read('lib/page/page.html')
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll(/ (?=<)| (?=\/>)/g, '')
    .replace('<!-- style -->', () => `<style>${style}</style>`)
    .replace('<!-- script -->', () => `<script type="module">${script}</script>`)
  const [head, tail] = html.split('<!-- facts -->') as [string, string]
  const { version } = JSON.parse(read('node_modules/preact/package.json')) as { version: string }
  const page = {
    head: head.replace('<html', () => `<!-- Preact ${version}, (c) Jason Miller, MIT licence -->\n<html`),
    tail,
    scriptHashes: [hashOf(script)],
    styleHashes: [hashOf(style)],
  }
  return `/** Written by \`npm run page\` from lib/page. Do not edit. */

/** The HTML around what the page shows without JavaScript, which stands between \`<noscript>\` and its end. */
export interface PageText {
  readonly head: string
  readonly tail: string
  /** Such as \`sha256-…\`. */
  readonly scriptHashes: readonly string[]
  readonly styleHashes: readonly string[]
}

export const pageText: PageText = {
${Object.entries(page)
  .map(
    ([name, value]) => `  ${name}: ${typeof value === 'string' ? literal(value) : `[${value.map(literal).join()}]`},\n`,
  )
  .join('')}}
`
}

async function bundled(path: string): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [join(root, path)],
    minify: true,
    target: 'browser',
    define: { 'process.env.NODE_ENV': '"production"' },
  })
  return (await outputs[0]!.text()).trim()
}

/** Bun's own minifier replaces light-dark() and :is() for browsers of years ago, which doubles the text. */
function withoutSpace(css: string): string {
  const names = [...new Set(css.match(/--[a-z]+/g))]
  return css
    .replaceAll(/--[a-z]+/g, (name) => `--${names.indexOf(name).toString(36)}`)
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/ ?([{};,>/+~]) ?/g, '$1')
    .replaceAll(': ', ':')
    .replaceAll(';}', '}')
    .trim()
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}

/** As the formatter writes a text: with the quote that occurs less. */
function literal(text: string): string {
  const plain = JSON.stringify(text)
  const singles = text.split("'").length
  const doubles = text.split('"').length
  return singles > doubles
    ? plain
    : `'${plain
        .slice(1, -1)
        .replaceAll(String.raw`\"`, '"')
        .replaceAll("'", String.raw`\'`)}'`
}

if (import.meta.main) {
  const text = await pageModule()
  writeFileSync(join(root, pagePath), text)
}
