import { expect, test } from 'bun:test'
import { properties } from '../../lib/config/client-properties/read.ts'
import { read } from '../style/repository.ts'

test('lib/kafka/README.md describes every property that has an effect', () => {
  const page = read('lib/kafka/README.md')
  expect(properties.map(({ name }) => name).filter((name) => !page.includes(`\`${name}\``))).toEqual([])
})
