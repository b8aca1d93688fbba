/** Keys that begin with a prefix, by pages. */
import { messageOf } from './api.ts'
import { encodedKey, type ShownKey } from './keys.ts'
import { Part } from './part.ts'

const limit = 60

export class KeyList extends Part {
  /** Undefined before the first search. */
  prefix: string | undefined
  /** Undefined while they are being read. */
  keys: readonly ShownKey[] | undefined
  /** Path of the next page. */
  next: string | undefined
  /** Paths of the pages up to this one. */
  paths: readonly string[] = []
  fault = ''
  #end = new AbortController()

  find(prefix: string | undefined): void {
    this.prefix = prefix
    const query = prefix ? `&prefix=${encodedKey(prefix)}` : ''
    void this.show(prefix === undefined ? [] : [this.api.pathOf('stores', `?limit=${limit}&fields=key${query}`)])
  }

  async show(paths: readonly string[]): Promise<void> {
    this.#end.abort()
    this.paths = paths
    this.keys = undefined
    this.next = undefined
    this.fault = ''
    this.draw()
    const path = paths.at(-1)
    if (path === undefined) return
    const { signal } = (this.#end = new AbortController())
    try {
      const response = await this.api.get(path, signal, 'application/json')
      const { entries, next } = (await response.json()) as { entries: { key: ShownKey }[]; next?: string }
      this.keys = entries.map(({ key }) => key)
      // Its path has the prefix of the server: the query is what counts.
      this.next = next && this.api.pathOf('stores', next.slice(next.indexOf('?')))
    } catch (error) {
      if (signal.aborted) return
      this.fault = messageOf(error)
    }
    this.draw()
  }
}
