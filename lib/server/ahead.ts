/**
 * Starts the first store thread while the main thread loads its modules, if the command line is that of a store. main.ts
 * imports this file before all others, and modules are evaluated in the order of their imports. So this file imports as
 * little as possible, and reads the arguments itself.
 */
import { startAhead } from '../store-thread/start.ts'

/** Flags that give a setting. Others may ask for something else than a store: then it starts a little later. */
const setting = /^--[a-z-]+=/

if (process.argv.slice(2).every((word) => setting.test(word) && !word.startsWith('--help='))) startAhead()
