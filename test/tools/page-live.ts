/** What is live in the page: a watch, the tail of changes; and the token, which its streams need. */
import { beforeEach, describe, expect, test } from 'bun:test'
import type { BrowserPage } from '../support/browser/browser-page.ts'
import { lookUp } from '../support/browser/look-up.ts'
import { ServedPages } from '../support/browser/served-pages.ts'
import { until } from '../support/until.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)
const markup = '<img src=x onerror=alert(1)>'

const pages = new ServedPages()
let page: BrowserPage

beforeEach(async () => {
  page = await pages.open()
  await page.sees('running', 'header')
})

const change = (key: string, value: string, offset: number) =>
  ({
    type: 'put',
    entry: { key: utf8(key), value: utf8(value), partition: 1, offset, timestamp: Date.UTC(2026, 10, 23, 16, 54, 13) },
  }) as const

describe('a watch', () => {
  test('shows the new value after a change, and ends', async () => {
    await lookUp(page, '10002')
    await page.sees('delivered', '.value')
    await page.click('Watch')
    await until('it is followed', () =>
      pages.served.store.changes.followers.some(({ options }) => options.keys !== undefined),
    )
    const follower = pages.served.store.changes.followers.find(({ options }) => options.keys !== undefined)!
    expect(follower.options.keys).toEqual([utf8('10002')])
    pages.served.store.put('10002', '{"status":"returned"}', { partition: 2, offset: 50_000 })
    follower.give({ events: [change('10002', '{"status":"returned"}', 50_000)], place: undefined })
    await page.sees('returned', '.value')
    await page.sees('live, changes: 1')
    pages.served.store.delete('10002')
    follower.give({ events: [{ type: 'delete', key: utf8('10002'), partition: 2, offset: 50_001 }], place: undefined })
    await page.sees('Key not found', '.value')
    await page.click('Watching')
    await until('it is closed', () => follower.isClosed)
  })

  test('of a key that changes all the time costs a few lookups a second', async () => {
    const beganAt = performance.now()
    let lookups = 0
    const { onGet } = pages.served.store
    pages.served.store.onGet = (key) => {
      lookups++
      return onGet(key)
    }
    await lookUp(page, '10002')
    await page.click('Watch')
    await until('it is followed', () =>
      pages.served.store.changes.followers.some(({ options }) => options.keys !== undefined),
    )
    const follower = pages.served.store.changes.followers.find(({ options }) => options.keys !== undefined)!
    for (let round = 0; round < 40; round++) {
      follower.give({ events: Array.from({ length: 100 }, () => change('10002', '{}', round)), place: undefined })
      await Bun.sleep(25)
    }
    await page.sees('changes: 4000')
    // One for the key, one for the watch, and four a second however long this takes.
    const seconds = (performance.now() - beganAt) / 1_000
    expect(lookups).toBeLessThanOrEqual(3 + 4 * seconds)
  })
})

describe('the tail of changes', () => {
  const followed = async () => {
    await page.evaluate('document.querySelector(".scroll").scrollIntoView()')
    await until('it is followed', () => pages.served.store.changes.followers.length > 0)
    return pages.served.store.changes.followers.at(-1)!
  }

  test('shows key, place and size, pauses and continues', async () => {
    const follower = await followed()
    const gone = { type: 'delete', key: utf8('10003'), partition: 0, offset: 8 } as const
    follower.give({ events: [change(markup, '{"a":1}', 4_711), gone], place: undefined })
    for (const text of ['4,711', 'put', '7 B', '<img', 'delete', '10003', '16:54:13']) await page.sees(text, '.changes')
    await page.click('Pause')
    await until('it is closed', () => follower.isClosed)
    await page.click('Continue')
    await until('it is followed again', () => pages.served.store.changes.followers.length > 1)
    await page.sees('4,711', '.changes')
    expect(page.complaints).toEqual([])
  })

  test('is asked for once the store runs', async () => {
    const { store } = pages.served
    const { state } = store
    store.state = { ...state, state: 'starting' }
    const early = await pages.open()
    await early.sees('starting', 'header')
    await early.evaluate('document.querySelector(".scroll").scrollIntoView()')
    const seen =
      'new Promise((done) => new IntersectionObserver((_, own) => { own.disconnect(); requestAnimationFrame(() => requestAnimationFrame(done)) }).observe(document.querySelector(".scroll")))'
    await early.evaluate(seen)
    expect(early.requests.filter((url) => url.includes('/changes/'))).toEqual([])
    store.state = state
    await until('it is followed', () => early.requests.some((url) => url.includes('/changes/')))
    expect(early.complaints).toEqual([])
  })

  test('is a sample of 100,000 changes a second, and the page stays quick', async () => {
    const events = Array.from({ length: 10_000 }, (_, index) => change(`key ${index}`, '{}', index))
    const giveSoon = () => {
      setTimeout(() => {
        for (const follower of pages.served.store.changes.followers) {
          if (!follower.isClosed) for (let batch = 0; batch < 10; batch++) follower.give({ events, place: undefined })
        }
      }, 50)
    }
    pages.served.store.changes.onFollow = giveSoon
    await followed()
    // The part may have been in view since the page was opened, and is followed since before.
    giveSoon()
    await page.sees('A sample')
    const frames =
      'new Promise((done) => { let seen = 0; const end = performance.now() + 2000; const next = () => { seen++; performance.now() < end ? requestAnimationFrame(next) : done(seen) }; next() })'
    expect(await page.evaluate<number>(frames)).toBeGreaterThan(20)
    expect(await page.evaluate('document.querySelectorAll(".changes tbody").length')).toBe(50)
    await lookUp(page, '10002')
    await page.sees('delivered', '.value')
  })
})

describe('with a token', () => {
  beforeEach(async () => {
    await pages.serve({ token: 'right-token' })
    page = await pages.open()
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
    await lookUp(page, '10002')
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

  test('another token is asked for when the server has one, and all streams begin again', async () => {
    const { port } = pages.served
    await page.type('right-token')
    await page.press('Enter')
    await page.sees('running', 'header')
    await lookUp(page, '10002')
    await page.click('Watch')
    await page.evaluate('document.querySelector(".scroll").scrollIntoView()')
    await until('both are followed', () => pages.served.store.changes.followers.length === 2)
    await pages.serve({ port, token: 'next-token' })
    await page.sees('This store needs its token')
    await page.type('next-token')
    await page.press('Enter')
    await page.sees('running', 'header')
    await page.evaluate('document.querySelector(".scroll").scrollIntoView()')
    await until('both are followed again', () => {
      return pages.served.store.changes.followers.filter(({ isClosed }) => !isClosed).length === 2
    })
    await until('the refusal is taken away', async () => !(await page.text('.scroll')).includes('Authorization'))
  })

  test('without JavaScript there is one sentence', async () => {
    const plain = await pages.open({ hasScript: false })
    await plain.sees('This store is read with a token')
    expect(await plain.text()).not.toContain('orders')
  })
})
