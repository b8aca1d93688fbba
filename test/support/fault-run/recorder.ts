/** Watches what passes between a store and the broker, for the checker, and lets a test do to it what networks do. */
import type { ProxiedRequest, ProxiedResponse, TcpProxy, Verdict } from '../kafka/index.ts'
import type { Acknowledgement, Commit } from './history.ts'
import {
  api,
  type ProduceRequest,
  readOffsetCommit,
  readProduceRequest,
  readProduceResponse,
  readRefusedCommits,
} from './wire.ts'

/** A Produce to the watched changelog on its way to the broker. */
export interface Produce extends ProduceRequest {
  connection: number
}

/** The broker's answer to one batch of a Produce, whether or not it reaches the store. */
export interface ProduceAnswer {
  connection: number
  partition: number
  errorCode: number
  baseOffset: number
}

export interface Faults {
  produce?: ((request: Produce) => Verdict | Promise<Verdict>) | undefined
  produceAnswer?: ((answers: ProduceAnswer[]) => Verdict | Promise<Verdict>) | undefined
  request?: ((request: ProxiedRequest) => Verdict | Promise<Verdict>) | undefined
  response?: ((response: ProxiedResponse) => Verdict | Promise<Verdict>) | undefined
}

export class Recorder {
  readonly acknowledgements: Acknowledgement[] = []
  readonly commits: Commit[] = []
  readonly answers: ProduceAnswer[] = []
  /** What is done to frames: set and unset at will. */
  readonly faults: Faults = {}
  readonly #proxies: readonly TcpProxy[]
  readonly #changelog: string
  readonly #group: string
  /** Proxy, connection and correlation id to the Produce that is on its way there. */
  readonly #open = new Map<string, Produce>()
  /** The same of commits. */
  readonly #committing = new Map<string, Commit[]>()

  constructor(proxies: readonly TcpProxy[], changelog: string, group: string) {
    this.#proxies = proxies
    this.#changelog = changelog
    this.#group = group
    for (const proxy of proxies) {
      proxy.onRequest = (request) => this.#request(proxy, request)
      proxy.onResponse = (response) => this.#response(proxy, response)
    }
  }

  /** Lets everything pass again, and watches no more. */
  close(): void {
    for (const proxy of this.#proxies) {
      proxy.onRequest = undefined
      proxy.onResponse = undefined
      proxy.release()
    }
  }

  #request(proxy: TcpProxy, request: ProxiedRequest): Verdict | Promise<Verdict> {
    const { apiKey, connection, correlationId, frame } = request
    const place = `${proxy.address} ${connection} ${correlationId}`
    if (apiKey === api.offsetCommit) this.#commit(place, frame)
    if (apiKey === api.produce) {
      const produce = { ...readProduceRequest(frame), connection }
      if (produce.topic === this.#changelog) {
        this.#open.set(place, produce)
        return this.faults.produce?.(produce)
      }
    }
    return this.faults.request?.(request)
  }

  #response(proxy: TcpProxy, response: ProxiedResponse): Verdict | Promise<Verdict> {
    const { request, connection, frame } = response
    const place = `${proxy.address} ${connection} ${request?.correlationId}`
    if (request?.apiKey === api.offsetCommit) this.#committed(place, frame)
    const produce = request?.apiKey === api.produce ? this.#open.get(place) : undefined
    if (produce === undefined) return this.faults.response?.(response)
    this.#open.delete(place)
    const answers = readProduceResponse(frame).map((result) => ({ connection, ...result }))
    this.answers.push(...answers)
    for (const { partition, errorCode, baseOffset } of answers) {
      if (errorCode !== 0) continue
      const { span } = produce.batches.find((batch) => batch.partition === partition)!
      this.acknowledgements.push({ partition, endOffset: baseOffset + span, at: performance.now() })
    }
    return this.faults.produceAnswer?.(answers)
  }

  #commit(place: string, frame: Buffer): void {
    const { group, partitions } = readOffsetCommit(frame)
    if (group !== this.#group) return
    const at = performance.now()
    const commits = partitions.map(({ partition, offset }) => ({ partition, offset, at }))
    this.commits.push(...commits)
    this.#committing.set(place, commits)
  }

  #committed(place: string, frame: Buffer): void {
    const commits = this.#committing.get(place) ?? []
    this.#committing.delete(place)
    const refused = commits.length > 0 ? readRefusedCommits(frame) : undefined
    for (const commit of commits) if (refused?.has(commit.partition)) commit.isRefused = true
  }
}
