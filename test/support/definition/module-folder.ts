/** Store modules for tests: files in a separate folder, outside of the source tree and its node_modules. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

export class ModuleFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'latchkey-module-'))

  /** @returns the file's URL */
  write(name: string, text: string): string {
    const path = join(this.path, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    return pathToFileURL(path).href
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
