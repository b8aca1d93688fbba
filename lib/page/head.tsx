/** The head: the store, its state in a word, progress of a recovery, what does not hold and what to do about it. */
import { h } from 'preact'
import type { StatusEvent } from '../http/status-events/status-event.ts'
import type { RecoveryProgress } from '../store-protocol/status.ts'
import { clock, count, duration, short } from './format.ts'
import { headlineOf } from './headline.ts'
import { bar, isolated, stateWord } from './parts.tsx'
import type { PageStatus } from './status.ts'

export function Head({ event, lost }: { event: StatusEvent; lost: PageStatus['lost'] }) {
  const { id, topic, changelog, formats, totals, version, instance, uptimeSeconds, progress } = event
  return (
    <header>
      <h1>{isolated(id)}</h1>
      <span role="status">{stateWord(lost ? 'not connected' : headlineOf(event))}</span>
      <p class="quiet">
        {topic === null ? 'changelog' : 'topic'} {isolated(topic ?? changelog)} · {formats.key} keys, {formats.value}{' '}
        values · {count(totals.entries)} entries
        <br />
        Latchkey {version} on {isolated(instance)}, up {duration(uptimeSeconds)}
      </p>
      <Lost lost={lost} />
      {progress && <Progress progress={progress} />}
      <ul class="notices">
        {noticesOf(event).map(({ name, reason, advice }) => (
          <li>
            <code>{name}</code>
            <p>
              {isolated(`${reason}. `)}
              {advice && <small>{isolated(advice)}</small>}
            </p>
          </li>
        ))}
      </ul>
    </header>
  )
}

/** Conditions that fail or say something, and the reason of the store if no condition has it. */
function noticesOf({ conditions, reason }: StatusEvent) {
  const isSaid = reason === undefined || conditions.some((condition) => condition.reason?.includes(reason))
  return isSaid ? conditions : [{ name: 'kafka', reason, advice: '' }, ...conditions]
}

function Progress({ progress }: { progress: RecoveryProgress }) {
  const { phase, percent, records, recordsPerSecond, remainingSeconds } = progress
  const label = `${phase}: ${percent.toFixed(1)} %`
  return (
    <div class="progress">
      {bar({ done: percent }, 100, label)}
      <p>
        <b>{label}</b> · {count(records)} records · {short(recordsPerSecond)} records/s ·{' '}
        {remainingSeconds === null ? 'time left not known yet' : `${duration(remainingSeconds)} left`}
      </p>
    </div>
  )
}

export function Lost({ lost }: { lost: PageStatus['lost'] }) {
  return (
    <p class="lost" role="alert">
      {lost && `Connection lost since ${clock(lost.sinceMs)} UTC: ${lost.why}. Connecting again.`}
    </p>
  )
}
