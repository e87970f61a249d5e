import { writeSync } from 'node:fs'

// Loaded before the program that is weighed: tells the bench its largest resident memory, in KB, on a pipe of its own.
process.on('exit', () => {
  writeSync(3, String(process.resourceUsage().maxRSS))
})
