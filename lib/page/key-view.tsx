/** The box for a key: a lookup, a watch, or keys by their prefix. */
import { Fragment, h } from 'preact'
import type { KeyList } from './key-list.ts'
import type { KeyLookup } from './key-lookup.ts'
import { type CommandPlace, curlLine, redisLine, type ShownKey } from './keys.ts'
import { Command, focus, KeyText, Section } from './parts.tsx'
import { ResultView } from './result-view.tsx'

export interface KeyProps {
  lookup: KeyLookup
  list: KeyList
  place: CommandPlace
  instance: string
}

const input = () => document.querySelector<HTMLInputElement>('#key')!

export function KeyView(props: KeyProps) {
  const { lookup, list } = props
  function ask(key: ShownKey | undefined, prefix?: string) {
    lookup.ask(key)
    list.find(prefix)
  }
  return (
    <Section title="Key" aside={<p>Latest visible value</p>}>
      <form
        role="search"
        onSubmit={(event) => {
          event.preventDefault()
          ask(input().value)
        }}
      >
        <input
          id="key"
          ref={focus}
          aria-label="Key"
          placeholder="Key"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
        />
        <button>Look up</button>
        <button type="button" onClick={() => ask(undefined, input().value)}>
          Find by prefix
        </button>
      </form>
      {list.prefix !== undefined && (
        <Keys
          list={list}
          pick={(key) => {
            if (typeof key === 'string') input().value = key
            input().focus()
            ask(key)
          }}
        />
      )}
      {lookup.key !== undefined && <Entry {...props} asked={lookup.key} />}
    </Section>
  )
}

/** The server takes no longer URL. */
const lineMax = 16_000

function Entry({ lookup, place, instance, asked }: KeyProps & { asked: ShownKey }) {
  const { isLive, result, fault, changes } = lookup
  const curl = curlLine(asked, place)
  const redis = redisLine(asked, place)
  return (
    <Fragment>
      <div class="asked">
        <h3>
          <KeyText value={asked} />
        </h3>
        {isLive && (
          <small class={fault && 'bad'} role="status">
            {fault || `live, changes: ${changes}`}
          </small>
        )}
        <button aria-pressed={isLive} onClick={() => lookup.watch(!isLive)}>
          {isLive ? 'Watching' : 'Watch'}
        </button>
      </div>
      <div aria-live={isLive ? 'off' : 'polite'}>
        {result ? <ResultView lookup={lookup} result={result} instance={instance} /> : <p>Looking it up…</p>}
      </div>
      {curl.length < lineMax && <Command name="curl" line={curl} />}
      {redis && redis.length < lineMax ? (
        <Command name="redis-cli" line={redis} />
      ) : (
        <small>{place.respPort ? 'No command line has this key.' : 'For redis-cli, set RESP_PORT.'}</small>
      )}
    </Fragment>
  )
}

function Keys({ list, pick }: { list: KeyList; pick: (key: ShownKey) => void }) {
  const { keys, next, paths, fault } = list
  const found =
    keys?.length === 0 ? (next ? 'none so far, see the next page' : 'none') : `page ${paths.length}, in no order`
  return (
    <Fragment>
      <p class={fault ? 'bad' : 'quiet'} role="status">
        {fault || (keys ? `Keys with it: ${found}` : 'Finding keys…')}
      </p>
      <ul class="keys">
        {keys?.map((key) => (
          <li>
            <button class="link" onClick={() => pick(key)}>
              <KeyText value={key} />
            </button>
          </li>
        ))}
      </ul>
      <p class="buttons">
        <button disabled={paths.length < 2} onClick={() => list.show(paths.slice(0, -1))}>
          Back
        </button>
        <button disabled={!next} onClick={() => list.show([...paths, next!])}>
          Next
        </button>
      </p>
    </Fragment>
  )
}
