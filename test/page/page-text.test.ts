/** The page is one text that browsers get as it is: generated, small, and without anything from another place. */
import { expect, test } from 'bun:test'
import { pageText } from '../../lib/http/page/page-text.ts'
import { pageBytesMax, pageModule, pagePath } from '../setup/page.ts'
import { read } from '../style/repository.ts'

const page = pageText.head + pageText.tail

test('the committed page is the one that `npm run page` writes', async () => {
  expect(read(pagePath)).toBe(await pageModule())
})

test('the page is within its bound of bytes', () => {
  expect(Buffer.byteLength(page)).toBeLessThanOrEqual(pageBytesMax)
})

test('the page has no handler, no style and no script outside of what the policy names', () => {
  expect(page.match(/<script\b/g)).toHaveLength(1)
  expect(page.match(/<style\b/g)).toHaveLength(1)
  const markup = page.replace(/<script[^]*<\/script>/, '').replace(/<style[^]*<\/style>/, '')
  expect(markup).not.toMatch(/\son\w+=|\sstyle=|javascript:/i)
})

test('the page names no other host', () => {
  const hosts = (page.match(/https?:\/\/[^/'"`\s]*/g) ?? []).filter((url) => url !== 'http://www.w3.org')
  expect(hosts).toEqual([])
})

test('the sources of the page write no HTML', () => {
  const sources = [...new Bun.Glob('lib/page/*.{ts,tsx}').scanSync()]
  expect(sources.length).toBeGreaterThan(20)
  const writing = sources.filter((path) =>
    /innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function/i.test(read(path)),
  )
  expect(writing).toEqual([])
})
