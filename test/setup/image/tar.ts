/** Tar archives in the format of POSIX.1-1988 (ustar), without times and owners: the same files give the same bytes. */

export interface TarEntry {
  /** Without a slash at its start; one at its end marks a folder. */
  readonly name: string
  readonly data?: Uint8Array
  readonly mode?: number
}

const blockBytes = 512
const nameBytesMax = 100

export function tarOf(entries: readonly TarEntry[]): Buffer<ArrayBuffer> {
  const end = Buffer.alloc(2 * blockBytes)
  return Buffer.concat([...entries.flatMap(blocksOf), end])
}

function blocksOf({ name, data = new Uint8Array(), mode = 0o644 }: TarEntry): Uint8Array[] {
  if (Buffer.byteLength(name) > nameBytesMax) throw new Error(`write a tar archive: the name ${name} is too long`)
  const head = Buffer.alloc(blockBytes)
  head.write(name, 0)
  head.write(octal(mode, 8), 100)
  head.write(octal(0, 8), 108)
  head.write(octal(0, 8), 116)
  head.write(octal(data.length, 12), 124)
  head.write(octal(0, 12), 136)
  // The checksum counts its own field as spaces.
  head.write(' '.repeat(8), 148)
  head.write(name.endsWith('/') ? '5' : '0', 156)
  head.write('ustar\0' + '00', 257)
  head.write(
    `${octal(
      head.reduce((sum, byte) => sum + byte, 0),
      7,
    )} `,
    148,
  )
  return [head, data, Buffer.alloc((blockBytes - (data.length % blockBytes)) % blockBytes)]
}

/** @param bytes of the field, with the zero at its end */
function octal(value: number, bytes: number): string {
  return `${value.toString(8).padStart(bytes - 1, '0')}\0`
}

/** Returns the folders of files, from the top down, and then the files. */
export function withFolders(files: readonly TarEntry[]): TarEntry[] {
  const folders = new Set(
    files.flatMap(({ name }) => {
      const parts = name.split('/').slice(0, -1)
      return parts.map((_, index) => `${parts.slice(0, index + 1).join('/')}/`)
    }),
  )
  const sorted = files.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return [...[...folders].toSorted().map((name) => ({ name, mode: 0o755 })), ...sorted]
}
