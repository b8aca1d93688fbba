/** The instants that an answer belongs to: its epoch, or in a group, one of each instance that has read a part of it. */
import type { InstanceEpochs } from '../store-protocol/reads.ts'

interface EpochsOfAnswer {
  readonly epoch: number
  readonly epochs?: InstanceEpochs | undefined
}

/** `{"epoch":42}`, or `{"epochs":{"i1":42}}`. */
export function epochMember({ epoch, epochs }: EpochsOfAnswer): { epoch: number } | { epochs: InstanceEpochs } {
  return epochs === undefined ? { epoch } : { epochs }
}

/** `X-Latchkey-Epoch: 42`, or `X-Latchkey-Epochs: i1=42, i2=7`. */
export function epochHeader({ epoch, epochs }: EpochsOfAnswer): Record<string, string> {
  if (epochs === undefined) return { 'X-Latchkey-Epoch': String(epoch) }
  // Other instances choose their ids.
  const all = Object.entries(epochs).map(([id, own]) => `${encodeURIComponent(id.toWellFormed())}=${own}`)
  return { 'X-Latchkey-Epochs': all.join(', ') }
}

/** Collects the epochs of the parts of an answer: the last one of each instance. */
export class PartEpochs {
  epoch = 0
  #byInstance: Map<string, number> | undefined

  /** Undefined without a group. */
  get epochs(): InstanceEpochs | undefined {
    return this.#byInstance && Object.fromEntries(this.#byInstance)
  }

  add({ epoch, instance }: { readonly epoch: number; readonly instance: string | undefined }): void {
    if (instance === undefined) this.epoch = epoch
    else (this.#byInstance ??= new Map()).set(instance, epoch)
  }
}
