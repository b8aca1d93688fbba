/** Values that a module can throw and that throw in turn when they are read. */

/** Without a message, an error is described by its name. */
function withMember(name: 'message' | 'stack' | 'name', member: PropertyDescriptor): Error {
  const error = new Error('text')
  if (name === 'name') error.message = ''
  return Object.defineProperty(error, name, member)
}

const failing: PropertyDescriptor = {
  get() {
    throw new Error('inner')
  },
}

function refuse(): never {
  throw new Error('trap')
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

/** By what is odd about them. */
export const unreadable: Record<string, unknown> = {
  'a message that is a number': withMember('message', { value: 5 }),
  'a message that is an object': withMember('message', { value: { text: 'a' } }),
  'a message without a prototype': withMember('message', { value: Object.create(null) }),
  'a message whose getter throws': withMember('message', failing),
  'a stack whose getter throws': withMember('stack', failing),
  'a name that is a symbol': withMember('name', { value: Symbol('q') }),
  'a name whose getter throws': withMember('name', failing),
  'an object without a prototype': Object.create(null),
  'an object whose toString throws': { toString: refuse },
  'an object that looks like an error of a build': { name: 'BuildMessage', message: 5 },
  'a Proxy whose traps throw': new Proxy({}, { getPrototypeOf: refuse, get: refuse, has: refuse }),
  'a Proxy of an Error whose traps throw': new Proxy(new Error('a'), { get: refuse }),
  'a revoked Proxy': revoked(),
}

/** Throws one of them, again and again. */
export function throwing(value: unknown): () => never {
  return () => {
    throw value
  }
}
