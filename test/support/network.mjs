import { afterAll, afterEach, beforeAll } from '@jest/globals'
import nock from 'nock'

// Loopback stays open: the simulator and its clients talk over it. Everything else is refused.
beforeAll(() => {
  if (!nock.isActive()) nock.activate()
  nock.disableNetConnect()
  nock.enableNetConnect(/^127\.|^localhost/)
})
afterEach(() => {
  nock.cleanAll()
  // A failing oclif command sets this, and jest would exit with it although every test passed.
  process.exitCode = undefined
})
afterAll(() => {
  nock.enableNetConnect()
  nock.restore()
})
