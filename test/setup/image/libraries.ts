/** The shared libraries that an executable needs, as glibc's loader finds them on this machine. */

const found = /^\t(?:\S+ => )?(\/\S+) \(0x[0-9a-f]+\)$/gm

/** @returns paths, that of the loader included */
export function librariesOf(executable: string): string[] {
  const text = traced(executable)
  const paths = [...text.matchAll(found)].map(([, path]) => path!)
  if (paths.length === 0 || text.includes('not found')) {
    const attempted = `list the libraries of ${executable}`
    throw new Error(`${attempted}: the loader of glibc does not name them. Run it on Linux with glibc.`)
  }
  return paths.toSorted()
}

/** With this variable the loader prints what it finds, and does not begin the program. */
function traced(executable: string): string {
  try {
    return Bun.spawnSync([executable], { env: { LD_TRACE_LOADED_OBJECTS: '1' }, stderr: 'ignore' }).stdout.toString()
  } catch {
    return ''
  }
}
