/** What a lookup has found: the value with where it comes from, or why there is none. */
import { Fragment, h } from 'preact'
import { bytes as sizeText } from './format.ts'
import type { KeyLookup } from './key-lookup.ts'
import type { FoundValue, MissingValue } from './lookup.ts'
import { factList, isolated } from './parts.tsx'

/** Characters shown at first. A browser takes seconds to lay out a megabyte. */
const previewLength = 16_384
/** Colours are for values that a person reads. */
const tokensMax = 2_000

export interface ResultProps {
  lookup: KeyLookup
  result: FoundValue | MissingValue
  instance: string
}

export function ResultView({ lookup, result, instance }: ResultProps) {
  if ('why' in result) {
    return (
      <p class="value">
        <b>{result.title}</b> <small>{result.code}</small>
        <br />
        {isolated(result.why)}
      </p>
    )
  }
  const { form, text, tokens = [], bytes } = result.reading
  const isLong = text.length > previewLength && !lookup.isWhole
  const hasColors = !isLong && tokens.length > 0 && tokens.length < tokensMax
  return (
    <Fragment>
      <pre class="value" tabIndex={0} aria-label="Value">
        {hasColors
          ? tokens.map(({ kind, text: part }) => <span class={kind}>{isolated(part, true)}</span>)
          : isolated(isLong ? text.slice(0, previewLength) : text, true)}
      </pre>
      <small>
        {form}, {sizeText(bytes)}{' '}
        {isLong && (
          <button class="link" onClick={() => lookup.showWhole()}>
            Show all
          </button>
        )}
      </small>
      {factList(
        [...result.facts, ['Instance', instance]].map(([name = '', fact = '']) => [isolated(name), isolated(fact)]),
      )}
    </Fragment>
  )
}
