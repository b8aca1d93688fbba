/** Partitions, those that need attention first. */
import { Fragment, h } from 'preact'
import type { ShownPartition, StatusEvent } from '../http/status-events/status-event.ts'
import { bytes, count } from './format.ts'
import type { PartitionFilter } from './partition-filter.ts'
import { bar, type RowOf, Section, stateWord, Table } from './parts.tsx'

/** So many need no filter. */
const fewMax = 12
const columns = ['Partition', 'Role', 'State', 'Position / end', 'Lag', 'Entries', 'Bytes']

export function Partitions({ event, filter }: { event: StatusEvent; filter: PartitionFilter }) {
  const found = filter.of(event)
  const shown = found.slice(0, filter.rowsMax)
  const lagMax = Math.max(1, ...shown.map(({ lag }) => lag ?? 0))
  const { partitions, lag } = event.totals
  const left = (filter.text === '' ? partitions : found.length) - shown.length
  return (
    <Section
      title="Partitions"
      aside={
        <p>
          {count(partitions)} held here
          <br />
          Lag {count(lag)}
        </p>
      }
    >
      {partitions > fewMax && (
        <input
          type="search"
          aria-label="Filter partitions"
          placeholder="Filter: 3, 10-19, fenced, replica"
          onInput={(typed) => filter.set(typed.currentTarget.value)}
        />
      )}
      <Table name="partitions" columns={columns} rows={shown.map((partition) => rowOf(partition, lagMax))} />
      {shown.length === 0 && <p class="quiet">None</p>}
      {left > 0 && (
        <p class="buttons">
          {found.length > shown.length && <button onClick={() => filter.more()}>Show more</button>}
          <small>
            {count(left)} more{found.length === shown.length && ': use the filter'}
          </small>
        </p>
      )}
    </Section>
  )
}

function rowOf(of: ShownPartition, lagMax: number): RowOf {
  const { partition, role, state, position, end, lag, entries, liveBytes, deadBytes, indexBytes, reason } = of
  const cells = [
    partition,
    role,
    stateWord(state),
    <Fragment>
      {count(position)} <small>/ {count(end)}</small>
    </Fragment>,
    <Fragment>
      {count(lag)}
      {bar({ lag: lag ?? 0 }, lagMax, `Lag ${count(lag)}`)}
    </Fragment>,
    count(entries),
    bytes(liveBytes + deadBytes + indexBytes),
  ]
  return { key: partition, cells, note: reason }
}
