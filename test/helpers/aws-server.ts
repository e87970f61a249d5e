import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { RegionAnswers } from './fixture-api.js'

/** An endpoint on loopback that answers for several Regions, told apart by the signature's scope. */
export interface AwsServer extends AsyncDisposable {
  readonly url: string
}

/** Regions without answers are denied. */
export const startAwsServer = async (answers: Record<string, RegionAnswers>): Promise<AwsServer> => {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const region = /\/([a-z0-9-]+)\/cloudhsm\/aws4_request/.exec(request.headers.authorization ?? '')?.[1] ?? ''
      const [answer, sent] = [answers[region], JSON.parse(Buffer.concat(chunks).toString() || '{}')]
      if (answer === undefined) {
        response.writeHead(400).end(JSON.stringify({ __type: 'AccessDeniedException', message: 'not here' }))
      } else if (request.headers['x-amz-target'] === 'BaldrApiService.DescribeClusters') {
        response.end(JSON.stringify({ Clusters: answer.Clusters }))
      } else {
        const Backups = answer.Backups.filter(({ BackupId }) => sent.Filters.backupIds.includes(BackupId))
        response.end(JSON.stringify({ Backups: sent.Shared ? [] : Backups }))
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
