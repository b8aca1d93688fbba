/** The page of the executable over a topic of a real Kafka, in Chromium. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { BrowserPage } from '../support/browser/browser-page.ts'
import { Chromium } from '../support/browser/chromium.ts'
import { lookUp } from '../support/browser/look-up.ts'
import { run } from '../support/process/run.ts'
import { change, fillUsers, type RedisStore, startRedisStore, type UsersTopic } from '../support/resp/redis-store.ts'
import { until } from '../support/until.ts'

const timeoutMs = 120_000
const commandMs = 10_000
const records = 500
const settings = { VALUE_FORMAT: 'json', LOG_LEVEL: 'warning' }

let users: UsersTopic
let browser: Chromium
let store: RedisStore
let page: BrowserPage

beforeAll(async () => {
  browser = await Chromium.start()
  users = await fillUsers(records)
  store = await startRedisStore(users, settings)
  page = await browser.open(`${await store.latchkey.listening()}/`)
}, timeoutMs)

afterAll(async () => {
  await browser.stop()
  await store[Symbol.asyncDispose]()
})

test('it shows what the store has', async () => {
  await page.sees('running', 'header')
  // `other` is not JSON.
  await page.sees(`${records} entries`, 'header')
  await page.sees('1 since the start')
  await page.sees('invalid_value', '.bad-records')
  for (const text of ['VALUE_FORMAT', 'json', 'environment', users.topic]) await page.sees(text, '.settings')
  expect(await page.evaluate('document.querySelectorAll(".partitions tbody").length')).toBe(3)
})

test('a key is found, its commands find it, too, and a miss says why', async () => {
  await lookUp(page, 'user:7')
  await page.sees('{"n": 7}', '.value')
  const lines = await page.evaluate<string[]>('[...document.querySelectorAll(".command code")].map((e) => e.innerText)')
  expect(lines).toHaveLength(2)
  for (const line of lines) {
    const { stdout, stderr } = await run(['bash', '-c', line], commandMs)
    expect(stdout.trim()).toBe('{"n":7}')
    expect(line.startsWith('curl') ? '' : stderr).toBe('')
  }
  await lookUp(page, 'user:none')
  await page.sees('the store holds no record under it', '.value')
})

test('a watched key changes, is deleted, and returns', async () => {
  await lookUp(page, 'user:8')
  await page.click('Watch')
  await page.sees('live', '.asked')
  await page.sees('{"n": 8}', '.value')
  await change(users, 'user:8', '{"n":"eight"}')
  await page.sees('"eight"', '.value')
  await change(users, 'user:8', null)
  await page.sees('Key not found', '.value')
  await change(users, 'user:8', '{"n":88}')
  await page.sees('{"n": 88}', '.value')
})

test('changes and rates are live', async () => {
  await page.evaluate('document.querySelector(".scroll").scrollIntoView()')
  await until('the change is there', async () => {
    await change(users, 'user:9', `{"n":${Date.now()}}`)
    return (await page.text('.scroll')).includes('user:9')
  })
  for (const text of ['put', '19 B']) await page.sees(text, '.changes')
  await until('there is a rate', async () => !/\n0 max 0$/m.test(await page.text('figure')))
})

test('when the process is killed the page says so, and continues with the next one', async () => {
  const port = new URL(await store.latchkey.listening()).port
  await store.latchkey.kill()
  await page.sees('Connection lost since', '.lost')
  await store[Symbol.asyncDispose]()
  store = await startRedisStore(users, { ...settings, SERVER_PORT: port })
  await page.sees('running', 'header')
  await page.sees('{"n": 88}', '.value')
  await change(users, 'user:8', '{"n":"again"}')
  await page.sees('"again"', '.value')
})

test('nothing was refused, and nothing came from elsewhere', async () => {
  const { origin } = new URL(await store.latchkey.listening())
  expect(page.requests.filter((url) => !url.startsWith(origin) && !url.startsWith('data:'))).toEqual([])
  // A miss and the time without a server are failed requests, which the browser reports.
  expect(page.complaints.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([])
})

test('a partition that halts is the first, with the reason', async () => {
  const halting = await startRedisStore(users, { ...settings, STORE_ID: `${users.topic}-2`, ON_BAD_RECORD: 'stop' })
  const halted = await browser.open(`${await halting.latchkey.listening()}/`)
  await halted.sees('halted', 'header')
  await halted.sees('halted', '.partitions tbody')
  await halted.sees('ON_BAD_RECORD=skip', '.notices')
  expect(halted.complaints).toEqual([])
  await halted.close()
  await halting[Symbol.asyncDispose]()
})

test(
  'with a token the page asks for it',
  async () => {
    const secured = await startRedisStore(users, {
      ...settings,
      STORE_ID: `${users.topic}-3`,
      SERVER_TOKEN: 'a-token-of-the-test',
    })
    const asking = await browser.open(`${await secured.latchkey.listening()}/`)
    await asking.sees('This store needs its token')
    await asking.type('a-token-of-the-test')
    await asking.press('Enter')
    await asking.sees('running', 'header')
    await asking.sees('SERVER_TOKEN', '.settings')
    expect(await asking.evaluate('document.documentElement.outerHTML')).not.toContain('a-token-of-the-test')
    await asking.close()
    await secured[Symbol.asyncDispose]()
  },
  timeoutMs,
)
