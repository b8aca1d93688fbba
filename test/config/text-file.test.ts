/** Files that settings name, where they are none. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readText, readTextAgain } from '../../lib/config/text-file.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'

let folder: string

beforeAll(() => {
  folder = temporaryFolder('text-file')
})

afterAll(() => rmSync(folder, { recursive: true }))

function pipe(name: string): string {
  const path = join(folder, name)
  expect(Bun.spawnSync(['mkfifo', path]).exitCode).toBe(0)
  return path
}

test('a regular file is read each time, up to its bound', () => {
  const path = join(folder, 'regular')
  writeFileSync(path, 'ä'.repeat(50_000))
  expect(readText(path, 100_000)).toBe('ä'.repeat(50_000))
  expect(() => readText(path, 99_999)).toThrow('it is longer than 99999 bytes')
  writeFileSync(path, 'other')
  expect(readText(path, 5)).toBe('other')
  expect(readTextAgain(path, 5)).toBe('other')
})

test('the text of a pipe is read once, and kept', async () => {
  const path = pipe('once')
  const writer = Bun.spawn(['sh', '-c', `sleep 0.1; printf secret > ${path}`])
  expect(readText(path, 100)).toBe('secret')
  expect(await writer.exited).toBe(0)
  // Without a writer, either would wait without end.
  expect(readText(path, 100)).toBe('secret')
  expect(readTextAgain(path, 100)).toBe('secret')
})

test('a pipe that came later is not waited for, and a device without an end is bounded', () => {
  expect(() => readTextAgain(pipe('later'), 100)).toThrow('it is a pipe, which only a start reads')
  expect(() => readTextAgain('/dev/zero', 100)).toThrow('it is a device, which only a start reads')
  expect(() => readText('/dev/zero', 100)).toThrow('it is longer than 100 bytes')
})

test.each([readText, readTextAgain])('a directory, and no file, have the errors of the system: %p', (read) => {
  expect(() => read(folder, 100)).toThrow('EISDIR')
  expect(() => read(join(folder, 'absent'), 100)).toThrow('ENOENT')
})
