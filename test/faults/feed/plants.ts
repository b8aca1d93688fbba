/** Defects of the change feed, which the model of its followers is there to find (main.ts). */
import { type Plant, plant } from '../plants.ts'

const follower = 'lib/store/changes/follower.ts'
const missed = 'lib/store/changes/missed-changes.ts'
const scan = 'lib/store/changes/change-scan.ts'

export const feedPlants: readonly Plant[] = [
  plant(
    'an event is lost at the switch from the listing to the changes',
    follower,
    '    this.#scan.touch(thread, position)\n',
    '    if (this.#listing === undefined) this.#scan.touch(thread, position)\n',
  ),
  plant(
    'a deletion is lost in conflation',
    scan,
    'changed.set(place, { key, partition, offset, isDeletion })',
    'if (!changed.has(place)) changed.set(place, { key, partition, offset, isDeletion })',
  ),
  plant(
    'the ring is resumed one too late',
    scan,
    'changelogOffset < (this.#seen?.get(partition) ?? 0)',
    'changelogOffset <= (this.#seen?.get(partition) ?? -1)',
  ),
  plant(
    'the changelog is resumed one too late',
    missed,
    '{ thread, partition, at, to: Math.max(at, reached)',
    '{ thread, partition, at: Math.min(at + 1, reached), to: Math.max(at, reached)',
  ),
  plant(
    'order between partitions is taken for order in one',
    'lib/store/changes/followers.ts',
    '    if (cursor.isOmitted)',
    '    for (const [one, at] of thread.positions) thread.positions.set(one, Math.max(at, changelogOffset + 1))\n' +
      '    if (cursor.isOmitted)',
  ),
  plant(
    'a ring that has passed the follower counts as read',
    scan,
    '      if (cursor.isLapped || isWhole === undefined) return undefined\n',
    '      if (isWhole === undefined) return undefined\n',
  ),
  plant(
    'a place that the ring does not reach is resumed in it',
    'lib/store/changes/ring-cursor.ts',
    'return this.#lastBlock((partition, floor) => (seen.get(partition) ?? Infinity) >= floor)?.position',
    'return this.#lastBlock((partition) => (seen.get(partition) ?? Infinity) >= 0)?.position',
  ),
  plant(
    'a gap between the changelog and the ring',
    follower,
    '    this.#since = this.#scan.isAtEnd ? undefined : missed.place\n',
    '    this.#scan.begin()\n    this.#since = undefined\n',
  ),
  plant(
    'the changelog is read up to one before the ring',
    missed,
    'to: Math.max(at, reached)',
    'to: Math.max(at, reached - 1)',
  ),
  plant(
    'a place names what is not published',
    'lib/store-thread/changes/visible-positions.ts',
    'this.#changelogPublished.set(this.#changelogPublishing)',
    'this.#changelogPublished.set(this.changelog)',
  ),
  plant(
    'the ring shows what is not published',
    'lib/store-thread/changes/change-recorder.ts',
    'this.#ring!.publish(this.#endPublishing)',
    'this.#ring!.publish(this.#ring!.end)',
  ),
  plant(
    'a place is named before the values of its keys are sent',
    follower,
    'this.#resetDue !== undefined || this.#listing !== undefined || this.#left.length > 0',
    'this.#resetDue !== undefined || this.#listing !== undefined',
  ),
  plant(
    'a place outlives the tombstones that came after it',
    missed,
    'const retentionPart = 0.9',
    'const retentionPart = 1_000',
  ),
  plant('a deletion in the changelog is not sent', missed, 'isDeletion: true', 'isDeletion: false'),
  plant(
    'keys of a lost changelog are taken for those of the present one',
    'lib/store/changes/changelog-parts.ts',
    'if (keys.readAt <= fellAt) {',
    'if (keys.readAt <= fellAt && fellAt < 0) {',
  ),
  plant(
    'a place in what the changelog has lost is resumed',
    'lib/store/changes/followers.ts',
    '(fellAt === 0 || time > fellAt + clockSlackMs)',
    '(fellAt === 0 || time > 0)',
  ),
  plant(
    'records without an offset are forgotten',
    missed,
    'at === undefined || reached < 0 || thread.inexact.has(partition)',
    'at === undefined || reached < 0',
  ),
  plant(
    'an offset that becomes visible while it is looked up is waited for',
    'lib/store-thread/changes/changelog-keys.ts',
    "    if (visible(partition) >= to) return 'reached'\n    return isThere",
    '    return isThere',
  ),
]
