/** Settings in effect, with where each came from. */
import { h } from 'preact'
import type { StatusEvent } from '../http/status-events/status-event.ts'
import { isolated, Section, Table } from './parts.tsx'

type ShownSettings = StatusEvent['settings']

export function SettingsView({ settings }: { settings: ShownSettings }) {
  const given = settings.filter(({ isGiven }) => isGiven)
  return (
    <Section
      title="Settings"
      aside={
        <p>
          {given.length} of {settings.length} given
        </p>
      }
    >
      <Rows settings={given} />
      <details>
        <summary>Defaults</summary>
        <Rows settings={settings.filter(({ isGiven }) => !isGiven)} />
      </details>
    </Section>
  )
}

function Rows({ settings }: { settings: ShownSettings }) {
  return (
    <Table
      name="settings"
      columns={['Setting', 'Value', 'From']}
      rows={settings.map(({ name, value, origin, isSecret, isGiven }) => ({
        cells: [name, isSecret && isGiven ? 'set' : isolated(value ?? '–'), isolated(origin)],
      }))}
    />
  )
}
