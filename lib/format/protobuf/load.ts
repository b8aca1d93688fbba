/**
 * Reads .proto files at run time. Looks an import up in the folder of the importing file, then in the include
 * directories, then among Google's files that are built in.
 */
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import protobuf from 'protobufjs'
import { withoutBom } from '../../text/bom.ts'
import { whyUnreadable } from '../../text/fs-error.ts'
import { formatFault } from '../format-fault.ts'
import { addBundled, isBundled } from './bundled.ts'
import { parseProto } from './parse.ts'

/** Maximum size of a file, and number of files that import each other. Larger input is a mistake, not a schema. */
const fileBytesMax = 16_777_216
const filesMax = 1_000

/**
 * Loads a file and all its imports.
 * @param include directories where imports are looked up, first match wins
 * @throws LatchkeyError invalid_settings: a file that is missing, unreadable or malformed, with its name and the
 *   importing file
 */
export function loadProtos(file: string, include: readonly string[] = []): protobuf.Root {
  const root = new protobuf.Root()
  const loaded = new Set<string>()
  load(file, `${basename(file)} cannot be read`)
  try {
    root.resolveAll()
    return root
  } catch (error) {
    throw fault(`${basename(file)}: ${(error as Error).message}`)
  }

  function load(path: string, attempt: string): void {
    const { realPath, source } = readSource(path, attempt)
    if (loaded.has(realPath)) return
    loaded.add(realPath)
    if (loaded.size > filesMax) throw fault(`${basename(file)}: it comes to more than ${filesMax} files`)
    const { imports = [], weakImports = [] } = parse(path, source, root)
    for (const name of imports) loadImport(name, path)
    for (const name of weakImports) if (find(name, path) ?? isBundled(name)) loadImport(name, path)
  }

  function loadImport(name: string, importer: string): void {
    const path = find(name, importer)
    if (path !== undefined) {
      return load(path, `${basename(importer)} imports ${JSON.stringify(name)}, which cannot be read`)
    }
    if (!isBundled(name)) {
      const places = [dirname(importer), ...include].join(', ')
      const found = `${basename(importer)} imports ${JSON.stringify(name)}, which is not in ${places}`
      throw fault(`${found}: name the directory that import paths start from in PROTO_PATH`)
    }
    if (!loaded.has(name)) addBundled(root, name)
    loaded.add(name)
  }

  function find(name: string, importer: string): string | undefined {
    const candidates = [dirname(importer), ...include].map((directory) => join(directory, name))
    return candidates.find((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
  }
}

/**
 * Parses a schema given as text, with its imports. For a registry, which names the imports. One text may have several
 * names.
 */
export function parseProtos(texts: ReadonlyMap<string, string>): protobuf.Root {
  const root = new protobuf.Root()
  const loaded = new Set<string>()
  const parsed = new Set<string>()
  for (const [name, text] of texts) {
    if (parsed.has(text)) continue
    parsed.add(text)
    const { imports = [] } = parse(name, text, root)
    for (const imported of imports) {
      if (texts.has(imported) || loaded.has(imported)) continue
      if (!isBundled(imported)) {
        throw fault(`${name} imports ${JSON.stringify(imported)}, which is not among its references`)
      }
      addBundled(root, imported)
      loaded.add(imported)
    }
  }
  root.resolveAll()
  return root
}

function readSource(path: string, attempt: string): { realPath: string; source: string } {
  try {
    const { size } = statSync(path)
    if (size > fileBytesMax) throw new Error(`it is longer than ${fileBytesMax} bytes`)
    return { realPath: realpathSync(path), source: readFileSync(path, 'utf8') }
  } catch (error) {
    throw fault(`${attempt}: ${whyUnreadable(error)}`)
  }
}

function parse(path: string, source: string, root: protobuf.Root): protobuf.IParserResult {
  try {
    return parseProto(withoutBom(source), root)
  } catch (error) {
    throw fault(`${basename(path)}: ${(error as Error).message}`)
  }
}

function fault(found: string): Error {
  return formatFault('protobuf', 'file', found)
}
