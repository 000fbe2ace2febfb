// Times @digitalbazaar libraries for the benchmarks, in turns with the parent process. The first
// line of standard input says what to verify, each further one how often; each is answered by a
// line with the processor time and the time on the wall that it took, in microseconds.
//   {"work": "credential", "document": …, "documents": …, "now": …}
//   {"work": "proof", "public_key": …, "header": …, "presentation_header": …, "indexes": […],
//    "messages": […], "proofs": […]}   (base64url)
import * as bbs from "@digitalbazaar/bbs-signatures";
import * as vc from "@digitalbazaar/vc";
import { createInterface } from "node:readline";
import { DataIntegrityProof } from "@digitalbazaar/data-integrity";
import { cryptosuite } from "@digitalbazaar/eddsa-rdfc-2022-cryptosuite";

const works = {
  credential({ document, documents, now }) {
    const suite = new DataIntegrityProof({ cryptosuite });
    const date = new Date(now * 1000);
    async function documentLoader(url) {
      if (documents[url] === undefined) throw new Error(`not in the request: ${url}`);
      return { contextUrl: null, documentUrl: url, document: documents[url] };
    }
    const text = JSON.stringify(document);
    return async () => {
      const credential = JSON.parse(text);
      return (await vc.verifyCredential({ credential, suite, documentLoader, now: date })).verified;
    };
  },
  proof(request) {
    const bytes = (text) => new Uint8Array(Buffer.from(text, "base64url"));
    const statement = {
      publicKey: bytes(request.public_key),
      header: bytes(request.header),
      presentationHeader: bytes(request.presentation_header),
      disclosedMessages: request.messages.map(bytes),
      disclosedMessageIndexes: request.indexes,
      ciphersuite: bbs.CIPHERSUITES.BLS12381_SHA256,
    };
    const proofs = request.proofs.map(bytes);
    let next = 0;
    return () => bbs.verifyProof({ ...statement, proof: proofs[next++ % proofs.length] });
  },
};

let verify;
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (verify === undefined) {
    verify = works[request.work](request);
    continue;
  }
  const cpu = process.cpuUsage();
  const started = process.hrtime.bigint();
  for (let round = 0; round < request.rounds; round++) {
    if (!(await verify())) throw new Error("what is measured does not verify");
  }
  const { user, system } = process.cpuUsage(cpu);
  const wall_us = Number(process.hrtime.bigint() - started) / 1e3;
  process.stdout.write(JSON.stringify({ cpu_us: user + system, wall_us }) + "\n");
}
