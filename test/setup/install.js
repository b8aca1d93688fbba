/**
 * All npm scripts start here, perhaps in a fresh clone: installs what package-lock.json names, Bun included, unless it is
 * there already. Plain JavaScript for Node, since nothing else is there yet, and for an old one, which has to be refused in a sentence.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { faultOfNode } from './node-version.js'

const nodeFault = faultOfNode(process.versions)
if (nodeFault) fail(nodeFault)
const root = fileURLToPath(new URL('../..', import.meta.url))
const stampFile = join(root, 'node_modules/.latchkey-installed')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')

if (!isInstalled()) {
  console.log('Installing dependencies…')
  install()
  writeFileSync(stampFile, wanted)
}
checkBun()

/** By the stamp of an earlier install here; without one (installed by hand, or by Bun) by the versions that package.json names. */
function isInstalled() {
  if (existsSync(stampFile)) return readFileSync(stampFile, 'utf8') === wanted
  return Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).every(
    ([name, version]) => installedVersion(name) === version,
  )
}

function installedVersion(name) {
  const file = join(root, 'node_modules', name, 'package.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined
}

function install() {
  const npmFlags = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  // npm passes the path of its own program to the scripts that it runs. Bun runs this file where there is no Node, hence perhaps no npm.
  const npmProgram = process.env.npm_execpath?.endsWith('npm-cli.js') ? process.env.npm_execpath : undefined
  const [program, args] = process.versions.bun
    ? [process.execPath, ['install', '--frozen-lockfile']]
    : npmProgram
      ? [process.execPath, [npmProgram, ...npmFlags]]
      : ['npm', npmFlags]
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit' })
  if (error) fail(`install dependencies: ${program} does not run: ${error.message}. Install Node.js with npm, or Bun.`)
  if (status !== 0) fail(`install dependencies: ${program} ${args[0]} ended with ${status}. Its reason is above.`)
}

/** The package `bun` brings its binary by an install script, which npm may be configured not to run. */
function checkBun() {
  const wantedVersion = manifest.devDependencies.bun
  if (bunVersion() === wantedVersion) return
  spawnSync(process.execPath, [join(root, 'node_modules/bun/install.js')], {
    cwd: join(root, 'node_modules/bun'),
    stdio: 'inherit',
  })
  const found = bunVersion()
  if (found === wantedVersion) return
  fail(
    `run Bun ${wantedVersion}: found ${found ?? 'none that runs'} in node_modules for ${process.platform} ${process.arch}. ` +
      `Its binary comes as an optional dependency (@oven/bun-*): install without --omit=optional, or install Bun ${wantedVersion} yourself and run 'bun test'.`,
  )
}

function bunVersion() {
  const { status, stdout } = spawnSync(join(root, 'node_modules/.bin/bun'), ['--version'], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
