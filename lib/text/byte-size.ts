/** Returns for example `512 MiB`. */
export function mebibytes(bytes: number): string {
  const count = bytes / 2 ** 20
  return `${count < 10 ? Math.round(count * 10) / 10 : Math.round(count)} MiB`
}

/** Returns a size as a setting is written, such as `512M`; bytes if it is not a whole number of mebibytes. */
export function sizeSetting(bytes: number): string {
  return bytes % 2 ** 20 === 0 ? `${bytes / 2 ** 20}M` : String(bytes)
}
