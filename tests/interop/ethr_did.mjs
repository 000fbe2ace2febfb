// Resolves did:ethr identifiers with npm ethr-did-resolver: a JSON request on standard input, a JSON
// answer on standard output. `now` is what the clock says, in unix seconds.
import { readFileSync } from 'node:fs'
import { Resolver } from 'did-resolver'
import { JsonRpcProvider } from 'ethers'
import { getResolver } from 'ethr-did-resolver'

const { rpcUrl, registry, chainId, questions } = JSON.parse(readFileSync(0, 'utf8'))
const Clock = globalThis.Date
let now = 0
globalThis.Date = class extends Clock {
  constructor(...given) {
    super(...(given.length === 0 ? [now * 1000] : given))
  }
}

// A request at a time, without the wait for others to join it.
const provider = new JsonRpcProvider(rpcUrl, chainId, { batchMaxCount: 1, staticNetwork: true })
const resolver = new Resolver(getResolver({ networks: [{ chainId, provider, registry }] }))
const answers = []
for (const question of questions) {
  now = question.now
  const { didDocument, didDocumentMetadata, didResolutionMetadata } = await resolver.resolve(question.did)
  answers.push({ document: didDocument, metadata: didDocumentMetadata, error: didResolutionMetadata.error ?? null })
}
process.stdout.write(JSON.stringify(answers), () => process.exit(0))
