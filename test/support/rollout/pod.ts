/** A pod of a manifest as a process of this machine, with an address of its own, as a kubelet runs it. */
import { LatchkeyProcess } from '../binary/latchkey-process.ts'

export interface PodSpec {
  terminationGracePeriodSeconds: number
  containers: [
    {
      env: { name: string; value?: string; valueFrom?: { fieldRef: { fieldPath: string } } }[]
      ports: [{ containerPort: number }]
      readinessProbe: { httpGet: { path: string }; periodSeconds: number }
    },
  ]
}

/** What stands in place of the image's port, which other programs of this machine may have. */
export interface PodPlace {
  ip: string
  port: number
  /** Of the ConfigMap. */
  settings: Readonly<Record<string, string>>
}

const probeTimeoutMs = 1_000

export class Pod {
  readonly process: LatchkeyProcess
  readonly url: string
  readonly place: PodPlace
  readonly #spec: PodSpec
  #isReady = false
  #isTerminating = false
  #probing: Promise<void>
  /** How long it took to end after SIGTERM. */
  endedAfterMs: number | undefined

  static async start(spec: PodSpec, place: PodPlace): Promise<Pod> {
    const { ip, port, settings } = place
    const [{ env, ports }] = spec.containers
    const fields: Record<string, string> = { 'status.podIP': ip }
    const given: Record<string, string> = { ...settings }
    for (const { name, value, valueFrom } of env) {
      const text = value ?? fields[valueFrom!.fieldRef.fieldPath]!
      const expanded = text.replaceAll(/\$\((\w+)\)/g, (_, variable: string) => given[variable]!)
      given[name] = expanded.replace(`:${ports[0].containerPort}`, `:${port}`)
    }
    const process = await LatchkeyProcess.start({ settings: { ...given, SERVER_BIND: ip, SERVER_PORT: `${port}` } })
    return new Pod(process, `http://${ip}:${port}`, place, spec)
  }

  private constructor(process: LatchkeyProcess, url: string, place: PodPlace, spec: PodSpec) {
    this.process = process
    this.url = url
    this.place = place
    this.#spec = spec
    this.#probing = this.#probe()
  }

  /** By the last probe, until it is to end. */
  get isReady(): boolean {
    return this.#isReady && !this.#isTerminating
  }

  /** SIGTERM, and SIGKILL at the end of the grace. Resolves with its exit code; null if it was killed. */
  async terminate(): Promise<number | null> {
    this.#isTerminating = true
    const since = performance.now()
    this.process.signal('SIGTERM')
    const graceMs = this.#spec.terminationGracePeriodSeconds * 1_000
    const killer = setTimeout(() => this.process.signal('SIGKILL'), graceMs)
    const exitCode = await this.process.exited
    clearTimeout(killer)
    this.endedAfterMs = performance.now() - since
    await this.#probing
    return exitCode
  }

  async close(): Promise<void> {
    this.#isTerminating = true
    await this.process.close()
    await this.#probing
  }

  async #probe(): Promise<void> {
    const { httpGet, periodSeconds } = this.#spec.containers[0].readinessProbe
    while (this.process.isAlive && !this.#isTerminating) {
      const options = { signal: AbortSignal.timeout(probeTimeoutMs) }
      const answer = await fetch(this.url + httpGet.path, options).catch(() => undefined)
      this.#isReady = answer?.status === 200
      await Bun.sleep(periodSeconds * 1_000)
    }
  }
}
