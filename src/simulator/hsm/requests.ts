import type { Hsm, Session } from './hsm.js'
import type { HsmReply } from './status.js'

/** What a client can ask an HSM for, as it travels over the line: one JSON object per line. */
export type HsmRequest =
  | {
      readonly op: 'login' | 'change' | 'create'
      readonly type: string
      readonly name: string
      readonly password: string
    }
  | { readonly op: 'delete'; readonly type: string; readonly name: string }
  | { readonly op: 'extract'; readonly userId: number }
  | { readonly op: 'insert' | 'restore'; readonly object: string }
  | { readonly op: 'replicate'; readonly object: string; readonly locked: boolean }
  | { readonly op: 'quorum'; readonly service: number }
  | { readonly op: 'logout' | 'list' | 'e2e' }

/** Requests, and `connect`: each takes its time, and each can be the target of a fault. */
export type Operation = HsmRequest['op'] | 'connect'

export const OPERATIONS: readonly Operation[] = [
  'connect',
  'login',
  'logout',
  'list',
  'change',
  'create',
  'delete',
  'extract',
  'insert',
  'restore',
  'replicate',
  'quorum',
  'e2e',
]

/** Does what is asked. */
export const perform = (hsm: Hsm, session: Session, request: HsmRequest): HsmReply<object> => {
  switch (request.op) {
    case 'login':
      return hsm.login(session, request.type, request.name, request.password)
    case 'logout':
      return hsm.logout(session)
    case 'list':
      return { ok: true, users: hsm.users.map(listed) } as HsmReply<object>
    case 'change':
      return hsm.changePassword(session, request.type, request.name, request.password)
    case 'create':
      return hsm.createUser(session, request.type, request.name, request.password)
    case 'delete':
      return hsm.deleteUser(session, request.type, request.name)
    case 'extract':
      return hsm.extract(session, request.userId)
    case 'insert':
      return hsm.insert(session, request.object)
    case 'restore':
      return hsm.restore(session, request.object)
    case 'replicate':
      return hsm.replicate(session, request.object, request.locked)
    case 'quorum':
      return { ok: true, value: hsm.mValue(request.service) } as HsmReply<object>
    case 'e2e':
      return { ok: true }
  }
}

/** What a listing tells of a user: no password. The lock is shown by CloudHSM CLI, ID and failures by the older utility. */
const listed = ({ id, type, name, mofnPubKey, failures, twoFactor, locked }: Hsm['users'][number]): object => ({
  id,
  type,
  name,
  mofnPubKey,
  failures,
  twoFactor,
  locked,
})
