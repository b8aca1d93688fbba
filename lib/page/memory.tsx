/** Memory and snapshots. */
import { Fragment, h } from 'preact'
import type { StatusEvent } from '../http/status-events/status-event.ts'
import { bytes, count, duration } from './format.ts'
import { bar, factList, Section, stateWord } from './parts.tsx'

export function Memory({ event: { memory, snapshots } }: { event: StatusEvent }) {
  const { live, dead, index, used, free, budget, resident, state } = memory
  const whole = budget ?? (used + free || 1)
  const parts = { live, index, dead, free }
  return (
    <Fragment>
      <Section title="Memory" aside={state === 'full' ? stateWord('full') : <p>{bytes(used)} used</p>}>
        {bar(parts, whole, `${bytes(used)} used of ${bytes(whole)}`)}
        {factList([
          ...Object.entries(parts).map(
            ([name, size]) =>
              [
                <Fragment>
                  <i class={name} /> {name}
                </Fragment>,
                bytes(size),
              ] as const,
          ),
          ['budget', bytes(budget)],
          ['process', bytes(resident)],
        ])}
      </Section>
      <Section title="Snapshots">
        {snapshots ? (
          factList([
            ['partitions', count(snapshots.partitions)],
            ['oldest', duration(snapshots.ageSeconds)],
            ['size', bytes(snapshots.bytes)],
            ['taken', count(snapshots.taken)],
            ['failed', count(snapshots.failed)],
            [
              'at the start',
              Object.entries(snapshots.starts)
                .map(([how, number]) => `${how} ${number}`)
                .join(', '),
            ],
          ])
        ) : (
          <p class="quiet">None: SNAPSHOT_DIR is not set</p>
        )}
      </Section>
    </Fragment>
  )
}
