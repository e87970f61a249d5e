import { OperatorError } from '../../../domain/errors.js'

/** A rollback that is refused: the one refusal of a rotation that has changed something and is not paused for it. */
export class RollbackRefused extends OperatorError {}
