/** What oxlint needs. The npm of an older Node omits its binary without a message. */
const [majorMin, minorMin] = [20, 19]

/**
 * Why the scripts do not run on this Node; undefined where they do, and on Bun.
 * @param {{ node: string, bun?: string }} versions as in process.versions
 * @returns {string | undefined}
 */
export function faultOfNode({ node, bun }) {
  const [major = 0, minor = 0] = node.split('.').map(Number)
  if (bun || major > majorMin || (major === majorMin && minor >= minorMin)) return undefined
  return `run this script: found Node.js ${node}. Install Node.js ${majorMin}.${minorMin} or newer, or Bun.`
}
