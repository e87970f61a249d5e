import type { HsmConsole } from '../../src/domain/hsm-console.js'
import type { Roster } from '../../src/domain/roster.js'
import { cloudHsmCliOf } from './cloudhsm-cli-console.js'
import { managementUtilityOf } from './cmu-console.js'
import type { Invocation } from './invocation.js'

/**
 * The console of one invocation: the utility of its story, with nothing between it and the simulator's HSMs but what the
 * story wants.
 * @param roster every HSM that may be spoken to, as the invocation knows it when it begins
 */
export const consoleOf = (invocation: Invocation, roster: Roster): HsmConsole =>
  invocation.world.story.fleet.utility === 'cmu' ? managementUtilityOf(invocation) : cloudHsmCliOf(invocation, roster)
