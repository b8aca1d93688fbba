import { expect, test } from 'bun:test'
import { groupText } from '../../lib/group-protocol/describe-group.ts'
import { groupOf } from '../support/group/group-status.ts'
import { problemOf, serveFake } from '../support/http/fake-store.ts'

async function served() {
  const one = serveFake()
  one.store.state.group = groupOf()
  return one
}

test.each([
  [undefined, 'text/plain; charset=utf-8'],
  ['*/*', 'text/plain; charset=utf-8'],
  ['application/json', 'application/json'],
  ['application/json, text/plain;q=0.5', 'application/json'],
])('Accept %p is answered %s', async (accept, type) => {
  await using one = await served()
  const response = await fetch(`${one.url}/group`, { headers: { ...(accept !== undefined && { accept }) } })
  expect([response.status, response.headers.get('content-type')]).toEqual([200, type])
  expect(response.headers.get('vary')).toBe('Accept')
  const text = await response.text()
  if (type === 'application/json') expect(JSON.parse(text)).toEqual(groupOf())
  else expect(text).toBe(groupText(groupOf()))
})

test('another form is refused', async () => {
  await using one = await served()
  const response = await fetch(`${one.url}/group`, { headers: { accept: 'text/csv' } })
  expect(await problemOf(response)).toMatchObject({
    code: 'not_acceptable',
    acceptable: ['text/plain', 'application/json'],
  })
})

test('without a group there is nothing, and the index does not name it', async () => {
  await using one = serveFake()
  const problem = await problemOf(await fetch(`${one.url}/group`))
  expect(problem).toMatchObject({ code: 'path_not_found', detail: expect.stringContaining('ELASTIC=true') })
  expect(await (await fetch(one.url)).text()).not.toContain('/group')
  one.store.state.group = groupOf()
  expect(await (await fetch(one.url)).text()).toContain('GET  /group')
})

test('with a token it needs that', async () => {
  await using one = serveFake({ token: 'secret-secret-secret' })
  expect(await problemOf(await fetch(`${one.url}/group`))).toMatchObject({ code: 'unauthorized' })
})
