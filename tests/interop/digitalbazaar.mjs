// Runs the @digitalbazaar Data Integrity libraries for the tests: one JSON request on each line of
// standard input, one JSON answer each. `documents` in the request is all that the document loader
// knows.
//   {"do": "issue" | "derive" | "verify" | "present" | "verify-presentation", …}
import { createInterface } from "node:readline";
import * as Bls12381Multikey from "@digitalbazaar/bls12-381-multikey";
import * as Ed25519Multikey from "@digitalbazaar/ed25519-multikey";
import * as EcdsaMultikey from "@digitalbazaar/ecdsa-multikey";
import * as bbs from "@digitalbazaar/bbs-2023-cryptosuite";
import * as ecdsaSd from "@digitalbazaar/ecdsa-sd-2023-cryptosuite";
import * as vc from "@digitalbazaar/vc";
import { DataIntegrityProof } from "@digitalbazaar/data-integrity";
import { cryptosuite as ecdsaRdfc } from "@digitalbazaar/ecdsa-rdfc-2019-cryptosuite";
import { cryptosuite as eddsaRdfc } from "@digitalbazaar/eddsa-rdfc-2022-cryptosuite";

let request, now, date;

async function documentLoader(url) {
  const document = request.documents[url];
  if (document === undefined) throw new Error(`not in the request: ${url}`);
  return { contextUrl: null, documentUrl: url, document };
}

const WHOLE = { "eddsa-rdfc-2022": eddsaRdfc, "ecdsa-rdfc-2019": ecdsaRdfc };
const DISCLOSING = { "ecdsa-sd-2023": ecdsaSd, "bbs-2023": bbs };
const KEYS = { "eddsa-rdfc-2022": Ed25519Multikey, "bbs-2023": Bls12381Multikey };

function cryptosuite(purpose) {
  if (request.suite in WHOLE) return WHOLE[request.suite];
  const suite = DISCLOSING[request.suite];
  if (suite === undefined) throw new Error(`no such suite: ${request.suite}`);
  const { mandatory_pointers: mandatoryPointers, pointers: selectivePointers } = request;
  if (purpose === "sign") return suite.createSignCryptosuite({ mandatoryPointers });
  if (purpose === "derive") return suite.createDiscloseCryptosuite({ selectivePointers });
  return suite.createVerifyCryptosuite();
}

async function signingSuite() {
  const pair = await (KEYS[request.suite] ?? EcdsaMultikey).from(request.key);
  return new DataIntegrityProof({ signer: pair.signer(), date, cryptosuite: cryptosuite("sign") });
}

const suiteTo = (purpose) => new DataIntegrityProof({ cryptosuite: cryptosuite(purpose) });
const verdict = ({ verified, error }) => ({
  accepted: verified,
  reason: error ? [error.message, ...(error.errors ?? []).map((e) => e.message)].join("; ") : "",
});
const verifyCredential = () =>
  vc.verifyCredential({ credential: request.document, suite: suiteTo("verify"), documentLoader, now });

const actions = {
  issue: async () => ({
    document: await vc.issue({
      credential: request.document, suite: await signingSuite(), documentLoader, now,
    }),
  }),
  derive: async () => ({
    document: await vc.derive({
      verifiableCredential: request.document, suite: suiteTo("derive"), documentLoader,
    }),
  }),
  verify: async () => verdict(await verifyCredential()),
  present: async () => ({
    document: await vc.signPresentation({
      presentation: request.document, suite: await signingSuite(), documentLoader,
      challenge: request.challenge, domain: request.domain,
    }),
  }),
  "verify-presentation": async () =>
    verdict(
      await vc.verify({
        presentation: request.document, suite: suiteTo("verify"), documentLoader, now,
        challenge: request.challenge, domain: request.domain,
      }),
    ),
};
for await (const line of createInterface({ input: process.stdin })) {
  request = JSON.parse(line);
  now = new Date(request.now * 1000);
  date = new Date((request.now - 60) * 1000).toISOString().replace(".000Z", "Z");
  process.stdout.write(JSON.stringify(await actions[request.do]()) + "\n");
}
