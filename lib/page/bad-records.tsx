/** Records that could not be stored: how many by reason, and the last ones with their place. Never a value. */
import { Fragment, h } from 'preact'
import type { StatusEvent } from '../http/status-events/status-event.ts'
import { count, instant } from './format.ts'
import { factList, isolated, Section, Table } from './parts.tsx'

export function BadRecords({ bad: { total, byReason, last } }: { bad: StatusEvent['badRecords'] }) {
  return (
    <Section title="Bad records" aside={<p>{count(total)} since the start</p>}>
      {total === 0 ? (
        <p class="quiet">Every record could be stored</p>
      ) : (
        <Fragment>
          {factList(Object.entries(byReason).map(([reason, records]) => [reason, count(records)]))}
          <Table
            name="bad-records"
            columns={['Time, UTC', 'Partition', 'Offset', 'Reason', 'Fault']}
            rows={last.map(({ at, partition, offset, lastOffset, reason, fault }) => ({
              cells: [
                instant(at),
                partition,
                lastOffset === undefined ? count(offset) : `${count(offset)}–${count(lastOffset)}`,
                reason,
                isolated(fault),
              ],
            }))}
          />
        </Fragment>
      )}
    </Section>
  )
}
