/** The executable of an earlier commit, built out of the history of this clone. */
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { runWell } from '../process/run.ts'

const root = resolve(import.meta.dir, '../../..')
const timeoutMs = 120_000

/**
 * The last one that writes neither `bytes` nor `changelog-fell` into commits, has snapshots, and passes over fields that
 * it does not know.
 */
const earlierCommit = '0d3d1790a472104e198ad48329759e3e411a5031'

/** Ends with exit code 0 where the commit is there, which it is not in a shallow clone. */
export const probeOfEarlier = ['git', '-C', root, 'cat-file', '-e', `${earlierCommit}^{commit}`]

/** @returns path of the executable, in the folder */
export async function buildEarlier(folder: string): Promise<string> {
  const source = join(folder, 'earlier')
  mkdirSync(source)
  await runWell(['sh', '-c', `git -C '${root}' archive ${earlierCommit} | tar -x -C '${source}'`], timeoutMs)
  if (runtimeOf(source) === runtimeOf(root)) symlinkSync(join(root, 'node_modules'), join(source, 'node_modules'))
  else await runWell(['npm', 'ci', '--prefix', source], timeoutMs)
  const { scripts } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as { scripts: { build: string } }
  const path = join(folder, 'latchkey')
  // Without the check of the installation, which would install into the folder that this clone uses.
  const command = scripts.build
    .split(' && ')
    .at(-1)!
    .replace(/ --outfile \S+/, '')
  const bin = join(root, 'node_modules', '.bin')
  await runWell(['sh', '-c', `cd '${source}' && PATH='${bin}':"$PATH" ${command} --outfile '${path}'`], timeoutMs)
  return path
}

/** What the executable contains of other packages, as text to compare. */
function runtimeOf(folder: string): string {
  const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version?: string; dev?: boolean }>
  }
  const installed = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && dev !== true)
  const bun = lock.packages['node_modules/bun']?.version
  return JSON.stringify([bun, ...installed.map(([path, { version }]) => `${path} ${version}`)])
}
