/** A thread that works at the pace of a snapshot thread, and would pause for a quarter of an hour. */
import { Pace, pieceBytes } from '../../../../lib/map/snapshot/pace.ts'

declare const self: Worker

self.onmessage = ({ data }: MessageEvent<SharedArrayBuffer>) => {
  let processorMs = 0
  const pace = new Pace(data, () => processorMs)
  for (let i = 0; i < 1_000; i++) {
    processorMs += 1_000
    pace.wrote(pieceBytes)
  }
  self.postMessage('done')
}
