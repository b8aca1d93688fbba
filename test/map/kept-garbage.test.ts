import { edenGC } from 'bun:jsc'
import { expect, test } from 'bun:test'
import { noteKeptGarbage } from '../../lib/map/index.ts'

const mebibyte = 1 << 20

/** A reference to something that collections of young garbage have passed over several times. */
async function oldReference(): Promise<WeakRef<object>> {
  const held: { object?: object } = { object: { bytes: new Uint8Array(1_000) } }
  for (let count = 0; count < 4; count++) {
    edenGC()
    await Bun.sleep(0)
  }
  const reference = new WeakRef(held.object!)
  delete held.object
  // A reference keeps its object until the end of the turn.
  await Bun.sleep(0)
  return reference
}

test('garbage that was kept for a while is collected, once there are some megabytes of it', async () => {
  const references = await Promise.all(Array.from({ length: 20 }, oldReference))
  for (let noted = 0; noted < 32 * mebibyte; noted += mebibyte) noteKeptGarbage(mebibyte)
  const left = references.filter((reference) => reference.deref() !== undefined)
  // The stack may still have one by chance.
  expect(left.length).toBeLessThan(references.length / 2)
})
