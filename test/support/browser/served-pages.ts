/** Chromium for a file, and a store with its page for each test of it. */
import { afterAll, afterEach, beforeAll, beforeEach } from 'bun:test'
import type { BrowserPage, PageOptions } from './browser-page.ts'
import { Chromium } from './chromium.ts'
import { type PageStore, type PageStoreOptions, servePage } from './page-store.ts'

const timeoutMs = 60_000

export class ServedPages {
  #browser: Chromium | undefined
  #served: PageStore | undefined
  #pages: BrowserPage[] = []

  constructor() {
    beforeAll(async () => {
      this.#browser = await Chromium.start()
    }, timeoutMs)
    afterAll(() => this.#browser?.stop())
    beforeEach(() => this.serve())
    afterEach(() => this.#end())
  }

  get served(): PageStore {
    return this.#served!
  }

  /** Replaces the store of this test. Pages stay open. */
  async serve(options: PageStoreOptions = {}): Promise<void> {
    await this.#served?.[Symbol.asyncDispose]()
    this.#served = servePage(options)
  }

  /** Opens the page of the store; it is closed with the test. */
  async open(options: PageOptions = {}): Promise<BrowserPage> {
    const page = await this.#browser!.open(this.served.url, options)
    this.#pages.push(page)
    return page
  }

  async #end(): Promise<void> {
    for (const page of this.#pages.splice(0)) await page.close()
    await this.#served?.[Symbol.asyncDispose]()
    this.#served = undefined
  }
}
