/**
 * Plants each defect of plants.ts, and runs the tests of followers, of which follower.test.ts is a model with random
 * histories. Arguments: a part of a name, to plant those only.
 */
import { playPlants } from '../play-plants.ts'
import { feedPlants } from './plants.ts'

await playPlants({
  name: 'feed',
  all: [
    {
      plants: feedPlants,
      tests: ['test/store/changes/follower.test.ts', 'test/store/changes/missed-changes.test.ts'],
    },
  ],
  wanted: process.argv[2] ?? '',
})
