import { expect, test } from 'bun:test'
import { compareUrls } from '../../lib/group/loopback-urls.ts'
import { GroupModel } from '../support/group/group-model.ts'

const reasonOfLoopback =
  'is an address that only its own machine reaches, and other members are elsewhere: set ADVERTISED_URL'

function groupAt(...urls: string[]) {
  const model = new GroupModel(1)
  const members = urls.map((url) => model.join({ url }))
  const { fit, unfit } = compareUrls(members)
  return { fit: fit.map(({ url }) => url), unfit: unfit.map(({ member, reason }) => [member.url, reason]) }
}

test.each([
  [['http://127.0.0.1:1', 'http://localhost:2', 'http://[::1]:3']],
  [['http://10.0.0.1:1', 'https://orders.example/a', 'http://[fd00::1]:3']],
])('members of one machine fit together, and so do those of several: %p', (urls) => {
  expect(groupAt(...urls)).toEqual({ fit: urls, unfit: [] })
})

test('a member at a loopback address gets nothing where the others are elsewhere', () => {
  const url = 'http://127.0.0.1:1'
  const others = ['http://10.0.0.1:1', 'http://10.0.0.2:1']
  expect(groupAt(url, ...others)).toEqual({ fit: others, unfit: [[url, `${url} ${reasonOfLoopback}`]] })
})

test('at a tie the older member counts: one that comes does not end what runs', () => {
  expect(groupAt('http://localhost:1', 'http://10.0.0.2:1')).toEqual({
    fit: ['http://localhost:1'],
    unfit: [['http://10.0.0.2:1', `http://localhost:1 ${reasonOfLoopback} of the others`]],
  })
})
