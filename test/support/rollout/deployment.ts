/** A Deployment of pods, rolled out pod by pod, and the Service before them with clients that look keys up all the while. */
import { freePorts } from '../process/ports.ts'
import { Pod, type PodPlace, type PodSpec } from './pod.ts'

export interface DeploymentSpec {
  replicas: number
  strategy: { rollingUpdate: { maxSurge: number; maxUnavailable: number } }
  template: { spec: PodSpec }
}

/** Nodes learn so late that a pod is to end. */
const endpointLagMs = 1_000
const lookupTimeoutMs = 5_000
const clientsDefault = 8

export class Deployment {
  readonly #spec: DeploymentSpec
  readonly #settings: Readonly<Record<string, string>>
  /** Those that are not to end. */
  #pods: Pod[] = []
  /** What the Service sends requests to. */
  readonly #endpoints = new Set<Pod>()
  readonly #ended: Pod[] = []
  readonly exitCodes: (number | null)[] = []
  readonly failures: string[] = []
  lookups = 0
  #number = 0

  constructor(spec: DeploymentSpec, settings: Readonly<Record<string, string>>) {
    this.#spec = spec
    this.#settings = settings
  }

  get pods(): readonly Pod[] {
    return this.#pods
  }

  /** In ms, of each pod that has ended. */
  get ends(): number[] {
    return this.#ended.map(({ endedAfterMs }) => Math.round(endedAfterMs!))
  }

  async start(): Promise<void> {
    await Promise.all(Array.from({ length: this.#spec.replicas }, () => this.#add()))
    await this.#allReady()
  }

  /** Replaces each pod by a new one. */
  async rollOut(): Promise<void> {
    const { maxSurge, maxUnavailable } = this.#spec.strategy.rollingUpdate
    if (maxSurge !== 1 || maxUnavailable !== 0) throw new Error('roll out: only one pod more and none less is known')
    const ends: Promise<void>[] = []
    const replaced = [...this.#pods]
    for (const old of replaced) {
      await this.#add()
      await this.#allReady()
      // The next one starts while this one ends.
      ends.push(this.end(old))
    }
    await Promise.all(ends)
  }

  async end(pod: Pod): Promise<void> {
    this.#pods = this.#pods.filter((one) => one !== pod)
    setTimeout(() => this.#endpoints.delete(pod), endpointLagMs)
    this.exitCodes.push(await pod.terminate())
    this.#endpoints.delete(pod)
    this.#ended.push(pod)
  }

  /** As a unit is restarted: it ends, and another process starts at its place. */
  async restart(pod: Pod): Promise<void> {
    await this.end(pod)
    await this.#add(pod.place)
    await this.#allReady()
  }

  async #newPlace(): Promise<PodPlace> {
    const [port] = await freePorts(1)
    return { ip: `127.77.0.${++this.#number}`, port: port!, settings: this.#settings }
  }

  async #add(place?: PodPlace): Promise<Pod> {
    const pod = await Pod.start(this.#spec.template.spec, place ?? (await this.#newPlace()))
    this.#pods.push(pod)
    return pod
  }

  async #allReady(): Promise<void> {
    for (const pod of this.#pods) {
      await pod.process.until('the pod is ready', () => pod.isReady)
      this.#endpoints.add(pod)
    }
  }

  /** Clients look keys up until `during` is over. Each failed lookup is in `failures`. */
  async lookingUp(path: string, values: ReadonlyMap<string, string>, during: () => Promise<void>): Promise<void> {
    const end = new AbortController()
    const clients = Array.from({ length: clientsDefault }, () => this.#look(path, [...values], end.signal))
    try {
      await during()
    } finally {
      end.abort()
      await Promise.all(clients)
    }
  }

  async #look(path: string, values: readonly (readonly [string, string])[], end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      const endpoints = [...this.#endpoints]
      const pod = endpoints[Math.floor(Math.random() * endpoints.length)]!
      const [key, value] = values[Math.floor(Math.random() * values.length)]!
      this.lookups++
      try {
        const options = { signal: AbortSignal.timeout(lookupTimeoutMs) }
        const answer = await fetch(`${pod.url}${path}/${key}`, options)
        const text = await answer.text()
        if (answer.status !== 200 || text !== value) this.failures.push(`${pod.url} ${key}: ${answer.status} ${text}`)
      } catch (error) {
        this.failures.push(`${pod.url} ${key}: ${String(error)}`)
      }
    }
  }

  async close(): Promise<void> {
    for (const pod of [...this.#pods, ...this.#ended]) await pod.close()
  }
}
