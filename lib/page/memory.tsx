/** Memory and snapshots. */
import { Fragment, h } from 'preact'
import type { StatusEvent } from '../http/status-events/status-event.ts'
import { bytes, count, duration } from './format.ts'
import { Bar, Facts, Section, State } from './parts.tsx'

export function Memory({ event: { memory, snapshots } }: { event: StatusEvent }) {
  const { live, dead, index, used, free, budget, resident, state } = memory
  const whole = budget ?? (used + free || 1)
  const parts = { live, index, dead, free }
  return (
    <Fragment>
      <Section title="Memory" aside={state === 'full' ? <State state="full" /> : <p>{bytes(used)} used</p>}>
        <Bar parts={parts} whole={whole} label={`${bytes(used)} used of ${bytes(whole)}`} />
        <Facts
          facts={[
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
          ]}
        />
      </Section>
      <Section title="Snapshots">
        {snapshots ? (
          <Facts
            facts={[
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
            ]}
          />
        ) : (
          <p class="quiet">None: SNAPSHOT_DIR is not set</p>
        )}
      </Section>
    </Fragment>
  )
}
