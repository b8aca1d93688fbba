import type { KafkaBroker, ToolResult } from './broker.ts'
import { kafkaJars } from './jars.ts'
import { runTool } from './java.ts'

/** An external broker (KAFKA_BROKERS): tests use it but neither stop nor remove it. */
export class ExternalBroker implements KafkaBroker {
  readonly bootstrap: string
  readonly listeners = {}
  readonly proxy = undefined
  readonly pid = undefined
  readonly logDir = undefined

  constructor(bootstrap: string) {
    this.bootstrap = bootstrap
  }

  get direct(): string {
    return this.bootstrap
  }

  stop(): Promise<void> {
    return this.#refuse('stop')
  }

  kill(): Promise<void> {
    return this.#refuse('kill')
  }

  start(): Promise<void> {
    return this.#refuse('start')
  }

  async close(): Promise<void> {}

  async java(mainClass: string, args: readonly string[], stdin?: string | Uint8Array): Promise<ToolResult> {
    return runTool(await kafkaJars(), mainClass, args, stdin)
  }

  #refuse(action: string): Promise<never> {
    return Promise.reject(
      new Error(`${action} the broker of KAFKA_BROKERS: it is not ours; use startKafka() for a separate broker`),
    )
  }
}
