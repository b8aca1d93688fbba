/** A page in a browser: what a person sees and does there, and what the browser complains about. */
import { until } from '../until.ts'
import type { DevTools } from './dev-tools.ts'

export interface PageOptions {
  readonly width?: number
  readonly height?: number
  readonly scheme?: 'light' | 'dark'
  readonly hasScript?: boolean
  readonly reducesMotion?: boolean
}

export class BrowserPage {
  readonly #devTools: DevTools
  readonly #session: string
  readonly #context: string
  /** Errors and warnings on the console, exceptions, violations of the content security policy. */
  readonly complaints: string[] = []
  /** URLs of all requests. */
  readonly requests: string[] = []

  private constructor(devTools: DevTools, session: string, context: string) {
    this.#devTools = devTools
    this.#session = session
    this.#context = context
  }

  static async open(devTools: DevTools, url: string, options: PageOptions): Promise<BrowserPage> {
    const { browserContextId } = await devTools.send<{ browserContextId: string }>('Target.createBrowserContext')
    const target = { url: 'about:blank', browserContextId }
    const { targetId } = await devTools.send<{ targetId: string }>('Target.createTarget', target)
    const attached = await devTools.send<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true })
    const page = new BrowserPage(devTools, attached.sessionId, browserContextId)
    await page.#prepare(options)
    await page.send('Page.navigate', { url })
    return page
  }

  async #prepare({ width = 1280, height = 900, scheme = 'light', hasScript = true, reducesMotion }: PageOptions) {
    this.#devTools.listen(this.#session, (method, params) => this.#note(method, params as unknown as Noted))
    for (const domain of ['Page', 'Runtime', 'Log', 'Network', 'Audits']) await this.send(`${domain}.enable`)
    await this.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: width < 600 })
    const features = [
      { name: 'prefers-color-scheme', value: scheme },
      { name: 'prefers-reduced-motion', value: reducesMotion ? 'reduce' : 'no-preference' },
    ]
    await this.send('Emulation.setEmulatedMedia', { features })
    await this.send('Emulation.setFocusEmulationEnabled', { enabled: true })
    await this.send('Emulation.setScriptExecutionDisabled', { value: !hasScript })
  }

  #note(method: string, params: Noted): void {
    if (method === 'Network.requestWillBeSent') this.requests.push(params.request.url)
    if (method === 'Runtime.exceptionThrown') this.complaints.push(JSON.stringify(params.exceptionDetails))
    if (method === 'Runtime.consoleAPICalled') this.complaints.push(JSON.stringify(params.args))
    if (method === 'Log.entryAdded') this.complaints.push(`${params.entry.text} ${params.entry.url ?? ''}`)
    if (method === 'Audits.issueAdded' && params.issue.code === 'ContentSecurityPolicyIssue') {
      this.complaints.push(JSON.stringify(params.issue.details))
    }
  }

  send<T = Record<string, unknown>>(method: string, params: Record<string, unknown> = {}): Promise<T> {
    return this.#devTools.send<T>(method, params, this.#session)
  }

  /** Runs an expression in the page. @returns its value, which is to be JSON */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send<Evaluated<T>>('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    })
    if (exceptionDetails) throw new Error(`run ${expression}: ${exceptionDetails.exception?.description}`)
    return result.value
  }

  /** Returns what a person can read: of the whole page, or of the first element that fits a selector. */
  text(selector = 'body'): Promise<string> {
    return this.evaluate(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ''`)
  }

  async sees(text: string, selector = 'body'): Promise<void> {
    let seen = ''
    const isSeen = async () => {
      seen = await this.text(selector)
      return seen.includes(text)
    }
    await until(`the page shows "${text}"`, isSeen).catch((error: unknown) => {
      throw new Error(`${String(error)}. It shows:\n${seen}`)
    })
  }

  async click(name: string): Promise<void> {
    const find = `[...document.querySelectorAll('button, summary')].find((e) => e.innerText.trim() === ${JSON.stringify(name)})`
    await until(`there is a button "${name}"`, () => this.evaluate<boolean>(`${find} !== undefined`))
    await this.evaluate(`${find}.click()`)
  }

  /** Types as a keyboard does, into what has the focus. */
  async type(text: string): Promise<void> {
    await this.send('Input.insertText', { text })
  }

  async press(key: string): Promise<void> {
    const text = key === 'Enter' ? '\r' : key.length === 1 ? key : undefined
    const event = { key, code: key, windowsVirtualKeyCode: key === 'Enter' ? 13 : 0, ...(text && { text }) }
    await this.send('Input.dispatchKeyEvent', { type: 'keyDown', ...event })
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', ...event })
  }

  /** @param isWhole the whole page, not only what fits into the window */
  async screenshot(isWhole = true): Promise<Uint8Array> {
    const { data } = await this.send<{ data: string }>('Page.captureScreenshot', { captureBeyondViewport: isWhole })
    return Buffer.from(data, 'base64')
  }

  async close(): Promise<void> {
    await this.#devTools.send('Target.disposeBrowserContext', { browserContextId: this.#context })
  }
}

interface Noted {
  request: { url: string }
  exceptionDetails: unknown
  args: unknown
  entry: { text: string; url?: string }
  issue: { code: string; details: unknown }
}

interface Evaluated<T> {
  result: { value: T }
  exceptionDetails?: { exception?: { description?: string } }
}
