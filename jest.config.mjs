export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/dist/test'],
  testMatch: ['**/*.test.js'],
  transform: {},
  setupFiles: ['<rootDir>/test/support/console.mjs'],
  setupFilesAfterEnv: ['<rootDir>/test/support/network.mjs'],
  coverageProvider: 'v8',
  collectCoverageFrom: ['dist/src/**/*.js'],
  randomize: true,
  // By default jest leaves one core alone; these tests mostly wait for child processes.
  maxWorkers: 2,
  // A test that drives real child processes waits for events, not for time; this is only the upper bound.
  testTimeout: 60_000,
}
