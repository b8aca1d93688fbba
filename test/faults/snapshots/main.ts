/**
 * Plants each defect of plants.ts, and runs the tests of snapshots that need no broker: random operations over disks that lose
 * writes, power and memory. Arguments: a part of a name, to plant those only.
 */
import { playPlants } from '../play-plants.ts'
import { checkPlants, filesPlants, memoryPlants } from './plants.ts'

await playPlants({
  name: 'snapshots',
  all: [
    {
      plants: checkPlants,
      tests: ['test/store-thread/recovery/snapshot-check.test.ts', 'test/store-thread/snapshots'],
    },
    { plants: filesPlants, tests: ['test/map/snapshot'] },
    {
      plants: memoryPlants,
      tests: [
        'test/linux/mapped-memory.test.ts',
        'test/map/snapshot/mapped-segments.test.ts',
        'test/map/writer/segment-allocator.test.ts',
        'test/store-thread/memory/memory-room.test.ts',
        'test/store/kept-buffers.test.ts',
      ],
    },
  ],
  wanted: process.argv[2] ?? '',
})
