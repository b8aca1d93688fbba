/** Values as people have them: small JSON objects, alike but not the same. */
const fullBytesMin = 165

/** JSON of `bytes` bytes, padded with blanks. Below 165 bytes an object with the id alone, never less than that takes. */
export function valueOf(id: number, round: number, bytes: number): string {
  if (bytes < fullBytesMin) return `{"id":${id}}`.padEnd(bytes, ' ')
  const plan = id % 3 === 0 ? 'pro' : 'free'
  const value = `{"id":${id},"round":${round},"name":"User number ${id}","email":"user${id}@example.com","city":"Amsterdam","plan":"${plan}","tags":["alpha","beta","gamma"],"active":true}`
  return value.padEnd(bytes, ' ')
}
