/** What a person sees of a store in each state, in Chromium, at both widths and in both schemes. */
import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import type { Condition, StoreStatus } from '../../lib/store-protocol/status.ts'
import { root } from '../style/repository.ts'
import type { BrowserPage, PageOptions } from '../support/browser/browser-page.ts'
import { faintTexts, wideElements } from '../support/browser/legibility.ts'
import { partitionOf, wellState } from '../support/browser/page-store.ts'
import { ServedPages } from '../support/browser/served-pages.ts'
import { groupOf } from '../support/group/group-status.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'
import { until } from '../support/until.ts'

/** `PAGE_SCREENSHOTS=true` renews the pictures that README.md shows. */
const pictures = temporaryFolder('pictures')
const shownPictures = process.env['PAGE_SCREENSHOTS'] === 'true' ? join(root, '.github') : pictures

const pages = new ServedPages()

async function open(state: Partial<StoreStatus> = {}, options: PageOptions = {}): Promise<BrowserPage> {
  Object.assign(pages.served.store.state, state)
  const page = await pages.open(options)
  await page.sees('orders', 'h1')
  return page
}

const conditions = (name: Condition['name'], reason: string, ok = false): Condition[] => [{ name, ok, reason }]
const recovery = { phase: 'recovering', records: 612_345, bytes: 1, recordsPerSecond: 312_000 } as const
const outage = 'no broker answers: kafka-1:9092 since 16:52:07 (connection refused)'

const states: [string, Partial<StoreStatus>, string[]][] = [
  ['running', {}, ['running', 'topic orders', '1,000,678 entries', 'Lag 16', '55.3 MiB', 'up 4 d 7 h']],
  [
    'recovering',
    {
      state: 'recovering',
      caughtUp: false,
      recovery: { ...recovery, percent: 61.24, remainingSeconds: 74 },
      details: [0, 1].map((partition) => partitionOf(partition, { state: 'recovering', lag: null, end: null })),
      conditions: conditions('recovered', 'the store is recovering'),
    },
    [
      'recovering: 61.2 %',
      '612,345 records',
      '312K records/s',
      '1 min 14 s left',
      'recovered',
      'Wait: the changelog is being read',
    ],
  ],
  [
    'catching up',
    {
      caughtUp: false,
      recovery: { ...recovery, phase: 'catching-up', percent: 5, remainingSeconds: null },
      conditions: conditions('caught_up', 'the end that the source had at start is not reached yet'),
    },
    ['catching-up', '5.0 %', 'time left not known yet', 'READY_WHEN=recovered'],
  ],
  [
    'fenced',
    {
      details: [partitionOf(0), partitionOf(1, { state: 'fenced', reason: 'another instance has taken partition 1' })],
      conditions: conditions('not_fenced', 'another instance has taken partition 1'),
    },
    ['fenced', 'another instance has taken partition 1', 'Stop one of the two'],
  ],
  [
    'halted',
    {
      details: [
        partitionOf(0),
        partitionOf(2, { state: 'halted', lag: 12_345, reason: 'partition 2 stops at offset 41180' }),
      ],
      conditions: conditions('not_halted', 'partition 2 stops at offset 41180'),
    },
    ['halted', 'partition 2 stops at offset 41180', 'ON_BAD_RECORD=skip', '12,345'],
  ],
  [
    'full',
    {
      memory: { state: 'full', max: 2 ** 31, budget: 1_879_048_192, used: 1_879_000_000, free: 0 },
      details: [partitionOf(0, { state: 'full' })],
      conditions: conditions('memory', 'memory is full', true),
    },
    ['full', '1.75 GiB', 'memory is full', 'Raise MEMORY_MAX'],
  ],
  [
    'broker down',
    {
      reason: outage,
      details: [partitionOf(0, { reason: 'source consumer: connection refused' }), partitionOf(1)],
    },
    ['waiting for a broker', outage, 'source consumer: connection refused'],
  ],
  [
    'in a group',
    {
      group: groupOf({
        members: [
          { url: 'http://10.0.0.2:8080', isSelf: true, primaries: [0, 1, 2], standbys: [3] },
          { url: 'http://10.0.0.3:8080', primaries: [3], standbys: [0, 1], filling: [2] },
          { url: 'http://10.0.0.4:8080', isReachable: false, reason: 'connection refused', standbys: [2] },
        ],
        waitsFor: [{ partition: 2, memberId: 'member-1' }],
        differing: ['VALUE_FORMAT'],
      }),
    },
    [
      'stable, generation 7',
      'Leader, lease 6 s',
      'http://10.0.0.3:8080',
      'itself',
      '0-2',
      'http://10.0.0.4:8080 is not reached: connection refused',
      'http://10.0.0.3:8080 reads partition 2, to be primary then',
      'settings that differ between instances: VALUE_FORMAT',
    ],
  ],
  [
    'failed',
    { state: 'failed', reason: 'the disk is lost', conditions: conditions('not_failed', 'the disk is lost') },
    ['failed', 'the disk is lost', 'It does not recover by itself'],
  ],
]

describe.each(states)('a store that is %s', (name, state, texts) => {
  test('shows that', async () => {
    const shown = await open(state)
    for (const text of texts) await shown.sees(text)
    expect(await shown.evaluate('document.title')).toBe(`orders · ${pages.served.store.state.state}`)
    expect(shown.complaints).toEqual([])
    expect(shown.requests.filter((url) => !url.startsWith(pages.served.url) && !url.startsWith('data:'))).toEqual([])
  })

  test.each([
    [1280, 'light'],
    [1280, 'dark'],
    [375, 'light'],
    [375, 'dark'],
  ] as const)('is legible at %d px, %s', async (width, scheme) => {
    const shown = await open(state, { width, scheme, height: 3_000 })
    await shown.sees(texts[0]!)
    expect(await faintTexts(shown)).toEqual([])
    expect(await wideElements(shown)).toEqual([])
    await Bun.write(join(pictures, 'states', `${name}-${width}-${scheme}.png`), await shown.screenshot())
  })
})

test('what needs attention comes first, and changes while it is looked at', async () => {
  const shown = await open()
  await shown.sees('running', 'header')
  pages.served.store.state.details[3] = partitionOf(3, { state: 'halted', reason: 'cannot be stored' })
  await shown.sees('halted', 'header')
  expect(await shown.text('.partitions tbody td')).toBe('3')
})

test('of 1,000 partitions the first ones are shown, and a filter finds the others', async () => {
  const shown = await open({ ...wellState(1_000) })
  await shown.sees('988 more', '.buttons')
  expect(await shown.evaluate('document.querySelectorAll(".partitions tbody").length')).toBe(12)
  await shown.click('Show more')
  await shown.sees('888 more', '.buttons')
  await shown.evaluate('document.querySelector("[type=search]").focus()')
  await shown.type('997')
  await shown.sees('997', '.partitions tbody')
  expect(await shown.evaluate('document.querySelectorAll(".partitions tbody").length')).toBe(1)
  expect(shown.complaints).toEqual([])
})

test('a connection that is lost is shown, and made again when the server is back', async () => {
  const { port } = pages.served
  const shown = await open()
  await shown.sees('running', 'header')
  await pages.served.stop()
  await shown.sees('Connection lost since', '.lost')
  await shown.sees('not connected', 'header')
  await pages.serve({ port })
  await shown.sees('running', 'header')
  await until('the notice is taken away', async () => (await shown.text('.lost')) === '')
})

test('without JavaScript the page shows the paths', async () => {
  const page = await pages.open({ hasScript: false })
  await page.sees('Latchkey: store orders, running')
  await page.sees('GET  /stores/orders/<key>')
  expect(page.complaints).toEqual([])
})

test('below a prefix the page asks below it, too', async () => {
  await pages.serve({ prefix: '/shop/orders' })
  const shown = await open()
  await shown.sees('running', 'header')
  expect(shown.requests.every((url) => url.startsWith(pages.served.url) || url.startsWith('data:'))).toBe(true)
})

test('motion is left out for those who ask for that', async () => {
  const bar = 'getComputedStyle(document.querySelector(".done")).transitionDuration'
  const state = states[1]![1]
  expect(await (await open(state, { reducesMotion: true })).evaluate(bar)).toBe('0s')
  expect(await (await open(state)).evaluate(bar)).toBe('1s')
})

test('the pictures of README.md', async () => {
  const options: [string, PageOptions][] = [
    ['page-light.png', { height: 1_040 }],
    ['page-dark.png', { height: 1_040, scheme: 'dark' }],
    ['page-mobile-dark.png', { width: 375, height: 800, scheme: 'dark' }],
  ]
  for (const [name, option] of options) {
    const shown = await open({}, option)
    await shown.type('10002')
    await shown.press('Enter')
    await shown.sees('delivered', '.value')
    await shown.evaluate('document.activeElement.blur()')
    const picture = await shown.screenshot(false)
    expect(picture.length).toBeGreaterThan(10_000)
    expect(picture.length).toBeLessThan(200_000)
    await Bun.write(join(shownPictures, name), picture)
  }
})
