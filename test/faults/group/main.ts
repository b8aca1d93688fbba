/**
 * Plants each defect of plants.ts, and runs the tests that have to find it; some have a broker. Arguments: a part of a name, to plant
 * those only.
 */
import { playPlants } from '../play-plants.ts'
import { commitPlants, copyPlants, groupPlants, mapPlants, missPlants, rolePlants, routingPlants } from './plants.ts'

await playPlants({
  name: 'group',
  all: [
    {
      plants: rolePlants,
      tests: ['test/integration/elastic-partitions.test.ts', 'test/integration/role-changes.test.ts'],
    },
    {
      plants: mapPlants,
      tests: ['test/map/lives.test.ts', 'test/map/lives-race.test.ts', 'test/map/random-lives.test.ts'],
    },
    { plants: copyPlants, tests: ['test/store-thread'] },
    { plants: commitPlants, tests: ['test/group/membership.test.ts'] },
    {
      plants: groupPlants,
      tests: [
        'test/group-protocol/group-notice.test.ts',
        'test/group/assignor.test.ts',
        'test/group/leader.test.ts',
        'test/group/member-data.test.ts',
        'test/group/assignor-rounds.test.ts',
      ],
    },
    { plants: routingPlants, tests: ['test/routing'] },
    { plants: missPlants, tests: ['test/store/miss-reason.test.ts'] },
  ],
  wanted: process.argv[2] ?? '',
})
