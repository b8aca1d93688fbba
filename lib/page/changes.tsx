/** The last changes. */
import { Fragment, h } from 'preact'
import type { ChangeFeed } from './change-feed.ts'
import { bytes, clock, count } from './format.ts'
import { KeyText, Section, Table } from './parts.tsx'

export function Changes({ feed, observe }: { feed: ChangeFeed; observe: (element: Element | null) => void }) {
  const { rows, isPaused, isSampled, fault } = feed
  return (
    <Section
      title="Changes"
      aside={
        <Fragment>
          <p>{isSampled && !isPaused ? 'A sample: too many to show' : 'As they become visible'}</p>
          <button aria-pressed={isPaused} onClick={() => feed.pause(!isPaused)}>
            {isPaused ? 'Continue' : 'Pause'}
          </button>
        </Fragment>
      }
    >
      <div ref={observe} class="scroll" tabIndex={0}>
        {fault && <p class="bad">{fault}</p>}
        {rows.length > 0 ? (
          <Table
            name="changes"
            columns={['Time, UTC', 'Partition', 'Offset', 'Change', 'Size', 'Key']}
            rows={rows.map(({ number, timestamp, partition, offset, isDelete, bytes: size, key }) => ({
              key: number,
              cells: [
                clock(timestamp),
                partition,
                count(offset),
                isDelete ? <span class="warn">delete</span> : 'put',
                isDelete || bytes(size ?? 0),
                <KeyText value={key} />,
              ],
            }))}
          />
        ) : (
          <p class="quiet">None yet</p>
        )}
      </div>
    </Section>
  )
}
