/** The instances of a group: who holds what, and what is the matter. */
import { h } from 'preact'
import type { ShownGroup } from '../http/status-events/status-event.ts'
import { isolated, Section, Table } from './parts.tsx'

export function Group({ group }: { group: ShownGroup }) {
  const { state, generation, isLeader, leaseSeconds, instances, notes } = group
  return (
    <Section
      title="Group"
      aside={
        <p>
          {state}, generation {generation}
          <br />
          {isLeader && 'Leader, '}lease {leaseSeconds} s
        </p>
      }
    >
      <Table
        name="group"
        columns={['Instance', 'Reached', 'Primary', 'Standby', 'Reads']}
        rows={instances.map(({ url, reached, primary, standby, reads }) => ({
          cells: [isolated(url), reached, ...[primary, standby, reads].map((held) => held || '–')],
        }))}
      />
      {notes.map((note) => (
        <p class="warn">{isolated(note)}</p>
      ))}
    </Section>
  )
}
