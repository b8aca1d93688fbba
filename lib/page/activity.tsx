/** Two minutes of activity. */
import { h } from 'preact'
import type { Rates } from '../http/status-events/status-event.ts'
import { milliseconds, short } from './format.ts'
import { Section } from './parts.tsx'
import { drawingOf } from './series.ts'

const width = 240
const height = 40

export function Activity({ rates }: { rates: readonly Rates[] }) {
  return (
    <Section title="Activity" aside={<p>Last two minutes</p>}>
      <div class="lines">
        <Line title="Records in per second" values={rates.map(({ recordsIn }) => recordsIn)} />
        <Line title="Changelog writes per second" values={rates.map(({ changelogWrites }) => changelogWrites)} />
        <Line title="Lookups per second" values={rates.map(({ lookups }) => lookups)} />
        <Line title="Lookup time, p99" values={rates.map(({ p99Ms }) => p99Ms)} text={milliseconds} />
      </div>
    </Section>
  )
}

interface LineProps {
  title: string
  values: readonly (number | null)[]
  text?: (value: number | null | undefined) => string
}

function Line({ title, values, text = short }: LineProps) {
  const { line, area, max } = drawingOf(values, width, height)
  const now = text(values.at(-1))
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <b>{now}</b> <small>max {text(max)}</small>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}: ${now}, at most ${text(max)}`}
      >
        <path class="area" d={area} />
        <path class="line" d={line} />
      </svg>
    </figure>
  )
}
