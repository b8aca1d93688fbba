/** Looking up, watching and finding keys in the page, with hostile content, the tail of changes, and the token. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { BrowserPage } from '../support/browser/browser-page.ts'
import { Chromium } from '../support/browser/chromium.ts'
import { type PageStore, servePage } from '../support/browser/page-store.ts'
import { run } from '../support/process/run.ts'
import { until } from '../support/until.ts'

const timeoutMs = 60_000
const utf8 = (text: string) => new TextEncoder().encode(text)
const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>'

let browser: Chromium
let served: PageStore
let page: BrowserPage

beforeAll(async () => {
  browser = await Chromium.start()
}, timeoutMs)
afterAll(() => browser.stop())
beforeEach(async () => {
  served = servePage()
  page = await browser.open(served.url)
  await page.sees('running', 'header')
})
afterEach(async () => {
  await page.close()
  await served[Symbol.asyncDispose]()
})

async function lookUp(key: string): Promise<void> {
  await page.evaluate('document.querySelector("#key").select()')
  await page.type(key)
  await page.press('Enter')
}

const change = (key: string, value: string, offset: number) =>
  ({
    type: 'put',
    entry: { key: utf8(key), value: utf8(value), partition: 1, offset, timestamp: Date.UTC(2026, 10, 23, 16, 54, 13) },
  }) as const

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
    await lookUp('10002')
    await page.sees('redis-cli -h 127.0.0.1 -p 6379 GET', '.command + .command')
    const curl = await page.text('.command code')
    const { stdout } = await run(['bash', '-c', curl.replace('curl', 'curl -s')], 10_000)
    expect(stdout).toContain('Ada Example')
    await page.click('Copy')
    await until('a button says so', async () => /Copied|Selected/.test(await page.text('.command button')))
  })

  test('that finds nothing says why', async () => {
    await lookUp('none')
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
    served.store.put('big', JSON.stringify({ text: 'x'.repeat(1_000_000), end: true }))
    await lookUp('big')
    await page.sees('JSON, 977 KiB')
    const shownLength = () => page.evaluate<number>('document.querySelector(".value").textContent.length')
    expect(await shownLength()).toBeLessThan(20_000)
    await page.click('Show all')
    await until('all of it is there', async () => (await shownLength()) > 1_000_000)
  })

  test('of bytes that are not text shows them', async () => {
    served.store.put('bytes', Uint8Array.of(0, 255, 65, 66))
    await lookUp('bytes')
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
    served.store.put(text, JSON.stringify({ [text]: text }))
    served.store.put(`raw ${text}`, text)
    for (const key of [text, `raw ${text}`]) {
      await lookUp(key)
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

describe('a watch', () => {
  test('shows the new value after a change, and ends', async () => {
    await lookUp('10002')
    await page.sees('delivered', '.value')
    await page.click('Watch')
    await until('it is followed', () =>
      served.store.changes.followers.some(({ options }) => options.keys !== undefined),
    )
    const follower = served.store.changes.followers.find(({ options }) => options.keys !== undefined)!
    expect(follower.options.keys).toEqual([utf8('10002')])
    served.store.put('10002', '{"status":"returned"}', { partition: 2, offset: 50_000 })
    follower.give({ events: [change('10002', '{"status":"returned"}', 50_000)], place: undefined })
    await page.sees('returned', '.value')
    await page.sees('live, changes: 1')
    served.store.delete('10002')
    follower.give({ events: [{ type: 'delete', key: utf8('10002'), partition: 2, offset: 50_001 }], place: undefined })
    await page.sees('Key not found', '.value')
    await page.click('Watching')
    await until('it is closed', () => follower.isClosed)
  })

  test('of a key that changes all the time costs a few lookups a second', async () => {
    let lookups = 0
    const { onGet } = served.store
    served.store.onGet = (key) => {
      lookups++
      return onGet(key)
    }
    await lookUp('10002')
    await page.click('Watch')
    await until('it is followed', () =>
      served.store.changes.followers.some(({ options }) => options.keys !== undefined),
    )
    const follower = served.store.changes.followers.find(({ options }) => options.keys !== undefined)!
    for (let round = 0; round < 40; round++) {
      follower.give({ events: Array.from({ length: 100 }, () => change('10002', '{}', round)), place: undefined })
      await Bun.sleep(25)
    }
    await page.sees('changes: 4000')
    expect(lookups).toBeLessThan(30)
  })
})

describe('the tail of changes', () => {
  const followed = async () => {
    await page.evaluate('document.querySelector(".scroll").scrollIntoView()')
    await until('it is followed', () => served.store.changes.followers.length > 0)
    return served.store.changes.followers.at(-1)!
  }

  test('shows key, place and size, pauses and continues', async () => {
    const follower = await followed()
    const gone = { type: 'delete', key: utf8('10003'), partition: 0, offset: 8 } as const
    follower.give({ events: [change(markup, '{"a":1}', 4_711), gone], place: undefined })
    for (const text of ['4,711', 'put', '7 B', '<img', 'delete', '10003', '16:54:13']) await page.sees(text, '.changes')
    await page.click('Pause')
    await until('it is closed', () => follower.isClosed)
    await page.click('Continue')
    await until('it is followed again', () => served.store.changes.followers.length > 1)
    await page.sees('4,711', '.changes')
    expect(page.complaints).toEqual([])
  })

  test('is a sample of 100,000 changes a second, and the page stays quick', async () => {
    const events = Array.from({ length: 10_000 }, (_, index) => change(`key ${index}`, '{}', index))
    served.store.changes.onFollow = () => {
      setTimeout(() => {
        for (const follower of served.store.changes.followers) {
          if (!follower.isClosed) for (let batch = 0; batch < 10; batch++) follower.give({ events, place: undefined })
        }
      }, 50)
    }
    await followed()
    await page.sees('A sample')
    const frames =
      'new Promise((done) => { let seen = 0; const end = performance.now() + 2000; const next = () => { seen++; performance.now() < end ? requestAnimationFrame(next) : done(seen) }; next() })'
    expect(await page.evaluate<number>(frames)).toBeGreaterThan(20)
    expect(await page.evaluate('document.querySelectorAll(".changes tbody").length')).toBe(50)
    await lookUp('10002')
    await page.sees('delivered', '.value')
  })
})

describe('with a token', () => {
  beforeEach(async () => {
    await page.close()
    await served[Symbol.asyncDispose]()
    served = servePage({ token: 'right-token' })
    page = await browser.open(served.url)
    await page.sees('This store needs its token')
  })

  test('the page asks, refuses a wrong one, and keeps the right one in memory alone', async () => {
    await page.type('wrong')
    await page.press('Enter')
    await page.sees('Wrong token', '#why')
    expect(await page.text()).not.toContain('orders')
    await page.evaluate('document.querySelector("#token").select()')
    await page.type('right-token')
    await page.press('Enter')
    await page.sees('running', 'header')
    await lookUp('10002')
    await page.sees('delivered', '.value')
    await page.sees('-H "Authorization: Bearer $TOKEN"', '.command')
    expect(await page.evaluate('document.documentElement.outerHTML')).not.toContain('right-token')
    expect(
      await page.evaluate(
        'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href])',
      ),
    ).not.toContain('right-token')
    expect(page.requests.join()).not.toContain('right-token')
    await page.send('Page.reload')
    await page.sees('This store needs its token')
    expect(page.complaints.filter((text) => !/Failed to load resource.* 401/.test(text))).toEqual([])
  })

  test('without JavaScript there is one sentence', async () => {
    const plain = await browser.open(served.url, { hasScript: false })
    await plain.sees('This store is read with a token')
    expect(await plain.text()).not.toContain('orders')
    await plain.close()
  })
})
