/**
 * The bill of materials of the executable, CycloneDX 1.6. Imported as a macro: it is made while the executable is built.
 * The same sources give the same text, so it has no time and no serial number.
 */
import { bundledPackages, folderOf, type Manifest, manifestOf, partsOfBun, root } from './packages.ts'

interface Component {
  readonly type: 'application' | 'library' | 'platform'
  readonly 'bom-ref': string
  readonly name: string
  readonly version: string
  readonly purl?: string
  readonly licenses?: readonly object[]
  readonly components?: readonly Component[]
}

/** @throws Error if a package is not installed, which stops the build */
export function sbomText(): string {
  const latchkey = manifestOf(root)
  const packages = bundledPackages().map((name) => manifestOf(folderOf(name)))
  const bun = bunComponent(manifestOf(folderOf('bun')))
  const bom = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { ...component('application', latchkey), purl: undefined } },
    components: [...packages.map((one) => component('library', one)), bun],
    dependencies: [
      { ref: refOf(latchkey), dependsOn: [...dependenciesOf(latchkey), bun['bom-ref']] },
      ...packages.map((one) => ({ ref: refOf(one), dependsOn: dependenciesOf(one) })),
    ],
  }
  return `${JSON.stringify(bom, null, 2)}\n`
}

function component(type: Component['type'], manifest: Manifest): Component {
  const { name, version, license } = manifest
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
  return { type, 'bom-ref': refOf(manifest), name, version, purl, licenses: [{ expression: license }] }
}

/** Bun's parts have no package of their own, and their licences are names, not expressions of SPDX. */
function bunComponent({ version, license }: Manifest): Component {
  const components = Object.entries(partsOfBun).map(([name, terms]): Component => {
    return {
      type: 'library',
      'bom-ref': `bun/${name}`,
      name,
      version: process.versions[name] ?? '',
      licenses: [{ license: { name: terms } }],
    }
  })
  const purl = `pkg:github/oven-sh/bun@bun-v${version}`
  return {
    type: 'platform',
    'bom-ref': 'bun',
    name: 'bun',
    version,
    purl,
    licenses: [{ expression: license }],
    components,
  }
}

function dependenciesOf({ dependencies = {} }: Manifest): string[] {
  return Object.keys(dependencies).map((name) => refOf(manifestOf(folderOf(name))))
}

function refOf({ name, version }: Manifest): string {
  return `${name}@${version}`
}
