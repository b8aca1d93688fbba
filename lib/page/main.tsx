/** Where the script of the page begins: the state, each part of which draws the page again when it has changed. */
import { Fragment, h, render } from 'preact'
import { Activity } from './activity.tsx'
import { Api } from './api.ts'
import { BadRecords } from './bad-records.tsx'
import { ChangeFeed } from './change-feed.ts'
import { Changes } from './changes.tsx'
import { Group } from './group.tsx'
import { Head, Lost } from './head.tsx'
import { KeyList } from './key-list.ts'
import { KeyLookup } from './key-lookup.ts'
import { KeyView } from './key-view.tsx'
import { Memory } from './memory.tsx'
import { PartitionFilter } from './partition-filter.ts'
import { Partitions } from './partitions.tsx'
import { SettingsView } from './settings.tsx'
import { PageStatus } from './status.ts'
import { TokenForm } from './token-form.tsx'

const root = document.getElementById('app')!
const api = new Api(location.origin + location.pathname.replace(/\/$/, ''))
const status = new PageStatus(api, changed)
const lookup = new KeyLookup(api, changed)
const list = new KeyList(api, changed)
const filter = new PartitionFilter(api, changed)
const feed = new ChangeFeed(api, changed)
let frame = 0

/** Draws the page once for all that has changed before the next frame. */
function changed(): void {
  frame ||= requestAnimationFrame(() => {
    frame = 0
    render(<Page />, root)
    showFeed()
  })
}

function Page() {
  const { event, asks, lost, rates } = status
  if (asks !== undefined) return <TokenForm isWrong={asks} send={send} />
  if (event === undefined) return lost ? <Lost lost={lost} /> : <p class="quiet">Connecting…</p>
  document.title = `${event.id} · ${lost ? 'not connected' : event.state}`
  const place = { url: api.url, id: api.id, needsToken: api.token !== '', respPort: event.respPort }
  return (
    <Fragment>
      <Head event={event} lost={lost} />
      <main class={lost && 'stale'}>
        <KeyView lookup={lookup} list={list} place={place} instance={event.instance} />
        <Activity rates={rates} />
        {event.group && <Group group={event.group} />}
        <Partitions event={event} filter={filter} />
        <Changes feed={feed} observe={observe} />
        <BadRecords bad={event.badRecords} />
        <Memory event={event} />
        <SettingsView settings={event.settings} />
      </main>
    </Fragment>
  )
}

/** With the token, everything is asked for again. */
function send(token: string): void {
  status.sendToken(token)
  lookup.watch(lookup.isLive)
}

// What is not seen has no streams: browsers allow six connections to a host, in all tabs together.
let isOnScreen = false
const observer = new IntersectionObserver((entries) => {
  isOnScreen = entries.at(-1)!.isIntersecting
  showFeed()
})

/** A store that does not run yet would refuse it. */
function showFeed(): void {
  feed.show(isOnScreen && !document.hidden && status.event?.state === 'running')
}

function observe(element: Element | null): void {
  observer.disconnect()
  isOnScreen = false
  if (element) observer.observe(element)
  else showFeed()
}

function follow(): void {
  const isSeen = !document.hidden
  status.follow(isSeen)
  showFeed()
  if (isSeen) lookup.resume()
  else lookup.pause()
}

document.addEventListener('visibilitychange', follow)
document.addEventListener('keydown', (event) => {
  const isTyping = event.target instanceof HTMLInputElement
  if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return
  event.preventDefault()
  document.querySelector<HTMLInputElement>('#key')?.select()
})
follow()
