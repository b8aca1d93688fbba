/** The first start of a store in a group: the source has records, and the changelog none. */
import { expect, test } from 'bun:test'
import { TestGroup } from '../support/elastic/group-fixture.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

const partitions = 4
const withinMs = 40_000

test(
  'a partition that halts before it was ever complete makes its instance unready, and not the others',
  async () => {
    await using fixture = await Fixture.create({ partitions })
    await using group = new TestGroup(fixture)
    const records = Array.from({ length: partitions }, (_, partition) => ({ key: 'a', partition, value: 'b' }))
    await fixture.produce([...records, { partition: 0, value: 'without a key' }, ...records])
    const settings = { onBadRecord: 'stop' } as const
    const instances = [1, 2].map((number) => group.start({ number, settings }))
    await until(
      'all but the one with the halted partition are ready',
      () => {
        const ready = instances.filter(({ failing }) => failing.length === 0)
        const halted = instances.filter(({ failing }) => failing.join() === 'not_halted')
        return ready.length === 1 && halted.length === 1
      },
      withinMs,
    )
    const halted = instances.find(({ failing }) => failing.length > 0)!
    expect(halted.store.stats.gauge(0, 'role')).toBe(0)
  },
  withinMs + 20_000,
)
