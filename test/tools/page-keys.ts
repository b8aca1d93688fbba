/** Looking up and finding keys in the page, with hostile content. */
import { beforeEach, describe, expect, test } from 'bun:test'
import type { BrowserPage } from '../support/browser/browser-page.ts'
import { lookUp } from '../support/browser/look-up.ts'
import { ServedPages } from '../support/browser/served-pages.ts'
import { run } from '../support/process/run.ts'
import { until } from '../support/until.ts'

const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>'

const pages = new ServedPages()
let page: BrowserPage

beforeEach(async () => {
  page = await pages.open()
  await page.sees('running', 'header')
})

describe('a lookup', () => {
  test('needs the keyboard alone: the box has the focus', async () => {
    await page.type('10002')
    await page.press('Enter')
    await page.sees('"name": "Ada Example"', '.value')
    await page.sees('"id": 12345678901234567890', '.value')
    for (const fact of ['41177', '2026-11-23 16:54:13', 'primary', 'store-0', 'JSON, 302 B']) await page.sees(fact)
    expect(page.complaints).toEqual([])
  })

  test('has the commands, which work', async () => {
    await lookUp(page, '10002')
    await page.sees('redis-cli -h 127.0.0.1 -p 6379 GET', '.command + .command')
    const curl = await page.text('.command code')
    const { stdout } = await run(['bash', '-c', curl.replace('curl', 'curl -s')], 10_000)
    expect(stdout).toContain('Ada Example')
    await page.click('Copy')
    await until('a button says so', async () => /Copied|Selected/.test(await page.text('.command button')))
  })

  test('that finds nothing says why', async () => {
    await lookUp(page, 'none')
    await page.sees('Key not found', '.value')
    await page.sees('the store holds no record under it', '.value')
  })

  test('with the slash key leads back to the box', async () => {
    await page.evaluate('document.activeElement.blur()')
    await page.press('/')
    await until('it has the focus', () => page.evaluate<boolean>('document.activeElement.id === "key"'))
    expect(await page.evaluate('document.activeElement.value')).toBe('')
  })

  test('of a megabyte shows its beginning at once, and all when asked', async () => {
    pages.served.store.put('big', JSON.stringify({ text: 'x'.repeat(1_000_000), end: true }))
    await lookUp(page, 'big')
    await page.sees('JSON, 977 KiB')
    const shownLength = () => page.evaluate<number>('document.querySelector(".value").textContent.length')
    expect(await shownLength()).toBeLessThan(20_000)
    await page.click('Show all')
    await until('all of it is there', async () => (await shownLength()) > 1_000_000)
  })

  test('of hundreds of thousands of invisible characters does not stop the page', async () => {
    pages.served.store.put('invisible', 'a\u0001'.repeat(300_000))
    await lookUp(page, 'invisible')
    await page.sees('Text, 586 KiB')
    await page.click('Show all')
    await until('all is shown', () =>
      page.evaluate<boolean>('document.querySelector(".value").textContent.length > 1e6'),
    )
    expect(await page.evaluate<number>('document.querySelectorAll(".value *").length')).toBeLessThan(10)
  })

  test('of hundreds of thousands of lines shows as many as a browser lays out', async () => {
    pages.served.store.put('lines', JSON.stringify(Array.from({ length: 500_000 }, () => 0)))
    await lookUp(page, 'lines')
    await page.sees('Beginning, 977 KiB')
    await page.click('Show all')
    const lines = 'document.querySelector(".value").textContent.split("\\n").length'
    await until('all that is kept is shown', async () => (await page.evaluate<number>(lines)) === 20_000)
  })

  test('of a key that fits into no URL says so, without commands', async () => {
    await lookUp(page, 'k'.repeat(100_000))
    await page.sees('Status 431', '.value')
    await page.sees('… 100000 characters', 'h3')
    expect(await page.evaluate('document.querySelectorAll(".command").length')).toBe(0)
  })

  test('of bytes that are not text shows them', async () => {
    pages.served.store.put('bytes', Uint8Array.of(0, 255, 65, 66))
    await lookUp(page, 'bytes')
    await page.sees('00 ff 41 42', '.value')
  })
})

describe('content of a topic is text', () => {
  const hostile = [
    markup,
    '\u202Eexe.txt',
    '\u001B[31mred\u0007',
    "'; DROP",
    '"><svg onload=alert(1)>',
    '\u200B\uFEFF',
    'שלום',
  ]

  test.each(hostile)('%j as key and value', async (text) => {
    pages.served.store.put(text, JSON.stringify({ [text]: text }))
    pages.served.store.put(`raw ${text}`, text)
    for (const key of [text, `raw ${text}`]) {
      await lookUp(page, key)
      await page.sees(key === text ? 'JSON, ' : 'Text, ', 'small')
      await page.click('Find by prefix')
      await page.sees('page 1', '.quiet[role=status]')
      await page.evaluate('document.querySelector(".keys button").click()')
      await page.sees(key === text ? 'JSON, ' : 'Text, ', 'small')
    }
    expect(await page.evaluate('document.title')).toBe('orders · running')
    expect(await page.evaluate('document.querySelectorAll("main img, main script, [onload]").length')).toBe(0)
    // oxlint-disable-next-line no-control-regex
    expect(await page.text()).not.toMatch(/[\u0000-\u0008\u000e-\u001f\u202e\u200b\ufeff]/)
    expect(page.complaints).toEqual([])
  })
})

describe('keys with a prefix', () => {
  test('come by pages, and one is looked up with a click', async () => {
    await page.type('10')
    await page.click('Find by prefix')
    await page.sees('page 1', '.quiet[role=status]')
    const first = await page.text('.keys')
    await page.click('Next')
    await page.sees('page 2', '.quiet[role=status]')
    expect(await page.text('.keys')).not.toBe(first)
    await page.click('Back')
    await page.sees('page 1', '.quiet[role=status]')
    await page.evaluate('document.querySelector(".keys button").click()')
    await page.sees('JSON, ', 'small')
    expect(page.complaints).toEqual([])
  })

  test('that nothing has are none', async () => {
    await page.type('zzz')
    await page.click('Find by prefix')
    await page.sees('none', '.quiet[role=status]')
  })
})
