/**
 * Unions. In JSON, a value is plain if its shape identifies the branch, else `{"<branch>": value}`. The schema decides
 * which, not the value, so that a reader of the JSON knows what to expect.
 * One exception: a value that its branch shows in another shape than usual (a long beyond 2^53 is a string) has the
 * branch name if another branch has that shape.
 */
import type { Json } from '../codec.ts'
import { Mismatch } from './mismatch.ts'
import { type AvroType, type Members, setMember, type Shape, shapeOf } from './type.ts'
import { AvroWriter, defaultBytesMax } from './writer.ts'

export function unionType(branches: readonly AvroType[]): AvroType {
  const names = new Map(branches.map((branch, index) => [branch.name, index]))
  const isWrapped = isAmbiguous(branches)
  const byShape = indexesBy(branches, (branch) => branch.shape as Shape)
  const byEdge = indexesBy(branches, (branch) => branch.edgeShape)
  const expected = expectation(branches, isWrapped)

  function show(index: number, json: Json): Json {
    const branch = branches[index]!
    if (json === null) return json
    const needsName = isWrapped || (shapeOf(json) !== branch.shape && byShape.has(shapeOf(json)))
    return needsName ? wrap(branch.name, json) : json
  }

  /** Returns the index of the branch and the value to write. */
  function choose(json: Json): [number, Json] {
    const shape = shapeOf(json)
    const index = isWrapped && shape !== 'null' ? undefined : (byShape.get(shape) ?? byEdge.get(shape))
    if (index !== undefined) return [index, json]
    const members = shape === 'object' ? Object.entries(json as Members) : []
    const named = members.length === 1 ? names.get(members[0]![0]) : undefined
    if (named === undefined) throw new Mismatch(expected)
    return [named, members[0]![1]]
  }

  return {
    name: 'union',
    shape: 'any',
    read(input) {
      const index = input.index(branches.length, 'a union')
      return show(index, branches[index]!.read(input))
    },
    write(output, json) {
      const [index, value] = choose(json)
      output.long(index)
      branches[index]!.write(output, value)
    },
    /** Tries the first branch first: Avro requires its type for defaults, and since version 1.12 allows the others. */
    ofDefault(json) {
      for (const [index, branch] of branches.entries()) {
        const value = defaultOf(branch, json)
        if (value !== undefined) return show(index, value)
      }
      throw new Mismatch(expected)
    },
  }
}

/** Whether a value may not identify its branch, or may look like `{"<branch>": value}`. */
function isAmbiguous(branches: readonly AvroType[]): boolean {
  const shapes = branches.map((branch) => branch.shape)
  if (new Set(shapes).size < shapes.length) return true
  const hasNamed = branches.some(({ edgeShape }) => edgeShape !== undefined && shapes.includes(edgeShape))
  return hasNamed && shapes.includes('object')
}

function indexesBy(
  branches: readonly AvroType[],
  shapeOfBranch: (branch: AvroType) => Shape | undefined,
): Map<Shape, number> {
  const indexes = new Map<Shape, number>()
  for (const [index, branch] of branches.entries()) {
    const shape = shapeOfBranch(branch)
    if (shape !== undefined && !indexes.has(shape)) indexes.set(shape, index)
  }
  return indexes
}

function wrap(name: string, json: Json): Json {
  const members: Record<string, Json> = {}
  setMember(members, name, json)
  return members
}

function expectation(branches: readonly AvroType[], isWrapped: boolean): string {
  const list = branches.map(({ name }) => (isWrapped && name !== 'null' ? `{"${name}": …}` : name))
  return `it must be one of ${list.join(', ')}`
}

/** Returns the default in the JSON form of values; undefined if it is not a value of this branch. */
function defaultOf(branch: AvroType, json: Json): Json | undefined {
  try {
    const value = branch.ofDefault(json)
    new AvroWriter(defaultBytesMax).all(false, (output) => branch.write(output, value))
    return value
  } catch {
    return undefined
  }
}
