/** Parts that several sections use. Functions with a small letter are called as such, which is shorter than an element. */
import { type ComponentChildren, Fragment, h } from 'preact'
import { toneOf } from './headline.ts'
import { keyText, type ShownKey } from './keys.ts'
import { visibleParts } from './visible-text.ts'

type Children = ComponentChildren

/** @param aside stands below the title */
export function Section({ title, aside, children }: { title: string; aside?: Children; children?: Children }) {
  return (
    <section aria-label={title}>
      <div class="side">
        <h2>{title}</h2>
        {aside}
      </div>
      <div>{children}</div>
    </section>
  )
}

/** As a `ref`, focuses an element when it appears. */
export function focus(element: HTMLElement | null): void {
  element?.focus({ preventScroll: true })
}

/** A browser takes seconds to lay out so many elements. */
const partsMax = 5_000

/** Text from a topic: isolated from the direction of its surroundings, what is invisible as an escape. */
export function isolated(text: string, keepsLayout?: boolean) {
  const parts = visibleParts(text, keepsLayout)
  return (
    <bdi>
      {parts.length > partsMax ? parts.join('') : parts.map((part, index) => (index % 2 ? <i>{part}</i> : part))}
    </bdi>
  )
}

const keyLengthMax = 200

export function KeyText({ value }: { value: ShownKey }) {
  const text = keyText(value)
  return (
    <Fragment>
      {isolated(text.slice(0, keyLengthMax) || '(empty key)')}
      {text.length > keyLengthMax && <small>… {text.length} characters</small>}
    </Fragment>
  )
}

export function stateWord(state: string) {
  return <span class={`state ${toneOf(state)}`}>{state}</span>
}

/** Names with figures. */
export function factList(facts: readonly (readonly [Children, Children])[]) {
  return (
    <dl>
      {facts.map(([name, fact]) => (
        <div>
          <dt>{name}</dt>
          <dd>{fact}</dd>
        </div>
      ))}
    </dl>
  )
}

export interface RowOf {
  readonly key?: number
  readonly cells: readonly Children[]
  /** Stands below the row. */
  readonly note?: string | undefined
}

export function Table({ name, columns, rows }: { name: string; columns: readonly string[]; rows: readonly RowOf[] }) {
  return (
    <table class={name}>
      <thead>
        <tr>
          {columns.map((column) => (
            <th scope="col">{column}</th>
          ))}
        </tr>
      </thead>
      {rows.map(({ key, cells, note }) => (
        <tbody key={key}>
          <tr>
            {cells.map((cell, index) => (
              <td data-name={columns[index]}>{cell}</td>
            ))}
          </tr>
          {note && (
            <tr class="note">
              <td colSpan={cells.length}>{isolated(note)}</td>
            </tr>
          )}
        </tbody>
      ))}
    </table>
  )
}

/** Copies what stands before a button. */
function copy({ currentTarget: button }: { currentTarget: HTMLElement }) {
  getSelection()!.selectAllChildren(button.previousSibling!)
  button.textContent = document.execCommand('copy') ? 'Copied' : 'Selected'
}

/** A command to copy. Not by navigator.clipboard, which pages of plain HTTP do not have. */
export function Command({ name, line }: { name: string; line: string }) {
  return (
    <div class="command" key={line}>
      <code tabIndex={0}>{line}</code>
      <button aria-label={`Copy ${name}`} onClick={copy}>
        Copy
      </button>
    </div>
  )
}

/** Parts of a whole, drawn to scale. */
export function bar(parts: Readonly<Record<string, number>>, whole: number, label: string) {
  return (
    <div class="bar" role="img" aria-label={label}>
      {Object.entries(parts).map(([name, part]) => (
        <i class={name} style={{ width: `${Math.min(1, part / whole) * 100}%` }} />
      ))}
    </div>
  )
}
