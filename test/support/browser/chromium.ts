/** Debian's Chromium without a window, driven over its DevTools protocol. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../process/temporary-folder.ts'
import { type TiedProcess, Watchdog } from '../process/watchdog.ts'
import { until } from '../until.ts'
import { BrowserPage, type PageOptions } from './browser-page.ts'
import { DevTools } from './dev-tools.ts'

const program = '/usr/bin/chromium'
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--hide-scrollbars',
  '--force-color-profile=srgb',
  '--remote-debugging-port=0',
]

export class Chromium {
  readonly #process: TiedProcess
  readonly #watchdog: Watchdog
  readonly #devTools: DevTools
  readonly #folder: string

  private constructor(child: TiedProcess, watchdog: Watchdog, devTools: DevTools, folder: string) {
    this.#process = child
    this.#watchdog = watchdog
    this.#devTools = devTools
    this.#folder = folder
  }

  /**
   * It ends with this process, however that ends.
   * @throws Error if there is none, naming the package
   */
  static async start(): Promise<Chromium> {
    if (!(await Bun.file(program).exists())) {
      throw new Error(`start a browser: ${program} does not exist. Install it: apt-get install chromium`)
    }
    const folder = temporaryFolder('browser')
    const watchdog = new Watchdog(folder)
    const child = await watchdog.spawn([program, ...flags, `--user-data-dir=${folder}`, 'about:blank'], '/dev/null')
    const portFile = join(folder, 'DevToolsActivePort')
    try {
      let address = ''
      await until('the browser has written its port', () => {
        address = existsSync(portFile) ? readFileSync(portFile, 'utf8') : ''
        return address.includes('/')
      })
      const [port, path] = address.split('\n')
      return new Chromium(child, watchdog, await DevTools.connect(`ws://127.0.0.1:${port}${path}`), folder)
    } catch (error) {
      child.signal('SIGKILL')
      throw error
    }
  }

  /** Opens a page with a profile of its own. */
  open(url: string, options: PageOptions = {}): Promise<BrowserPage> {
    return BrowserPage.open(this.#devTools, url, options)
  }

  async stop(): Promise<void> {
    await this.#devTools.send('Browser.close').catch(() => {})
    await this.#process.exited
    this.#watchdog.release()
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
