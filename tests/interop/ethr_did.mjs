// Resolves did:ethr identifiers with npm ethr-did-resolver: a JSON request on each line of standard
// input, a JSON answer each. `now` is what the clock says, in unix seconds.
import { createInterface } from 'node:readline'
import { Resolver } from 'did-resolver'
import { JsonRpcProvider } from 'ethers'
import { getResolver } from 'ethr-did-resolver'

const Clock = globalThis.Date
let now = 0
globalThis.Date = class extends Clock {
  constructor(...given) {
    super(...(given.length === 0 ? [now * 1000] : given))
  }
}

async function answered({ rpcUrl, registry, chainId, questions }) {
  // A request at a time, without the wait for others to join it; nothing remembered of the last.
  const provider = new JsonRpcProvider(rpcUrl, chainId, { batchMaxCount: 1, staticNetwork: true })
  const resolver = new Resolver(getResolver({ networks: [{ chainId, provider, registry }] }))
  const answers = []
  for (const question of questions) {
    now = question.now
    const { didDocument, didDocumentMetadata, didResolutionMetadata } = await resolver.resolve(question.did)
    answers.push({ document: didDocument, metadata: didDocumentMetadata, error: didResolutionMetadata.error ?? null })
  }
  provider.destroy()
  return answers
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(await answered(JSON.parse(line))) + '\n')
}
