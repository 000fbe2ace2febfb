// Runs @sd-jwt/sd-jwt-vc for the tests: one JSON request on standard input, one JSON answer.
//   {"do": "issue", "claims", "disclosable", "present", "audience", "nonce", "iat", "issuer_jwk"?}
//   {"do": "verify", "presentation", "issuer_jwk", "status_list", "nonce", "now"}
//   {"do": "measure", "presentations", "warmup", "issuer_jwk", "audience", "nonce", "vct", "now"}
import { ES256, digest, generateSalt } from "@sd-jwt/crypto-nodejs";
import { SDJwtVcInstance } from "@sd-jwt/sd-jwt-vc";

const text = await new Promise((resolve) => {
  const chunks = [];
  process.stdin.on("data", (chunk) => chunks.push(chunk));
  process.stdin.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
});
const request = JSON.parse(text);

async function issue({ claims, disclosable, present, audience, nonce, iat, issuer_jwk }) {
  const issuer = issuer_jwk
    ? { privateKey: issuer_jwk, publicKey: { ...issuer_jwk, d: undefined } }
    : await ES256.generateKeyPair();
  const holder = await ES256.generateKeyPair();
  const instance = new SDJwtVcInstance({
    signer: await ES256.getSigner(issuer.privateKey),
    verifier: await ES256.getVerifier(issuer.publicKey),
    signAlg: "ES256",
    hasher: digest,
    hashAlg: "sha-256",
    saltGenerator: generateSalt,
    kbSigner: await ES256.getSigner(holder.privateKey),
    kbSignAlg: "ES256",
  });
  const cnf = { jwk: holder.publicKey };
  const credential = await instance.issue({ ...claims, cnf }, { _sd: disclosable });
  const presentation = await instance.present(
    credential,
    Object.fromEntries(present.map((name) => [name, true])),
    { kb: { payload: { iat, aud: audience, nonce } } },
  );
  return { issuer_jwk: issuer.publicKey, presentation };
}

async function verify({ presentation, issuer_jwk, nonce, now, status_list }) {
  const instance = new SDJwtVcInstance({
    verifier: await ES256.getVerifier(issuer_jwk),
    hasher: digest,
    hashAlg: "sha-256",
    // The list is handed over: the test opens no socket.
    statusListFetcher: async () => status_list,
    statusVerifier: await ES256.getVerifier(issuer_jwk),
    kbVerifier: async (data, signature, payload) =>
      (await ES256.getVerifier(payload.cnf.jwk))(data, signature),
  });
  try {
    const { payload } = await instance.verify(presentation, { keyBindingNonce: nonce, currentDate: now });
    return { accepted: true, claims: payload };
  } catch (error) {
    return { accepted: false, reason: String(error.message) };
  }
}

// The library leaves audience and type to its caller.
async function measure({ presentations, warmup, issuer_jwk, audience, nonce, vct, now }) {
  const instance = new SDJwtVcInstance({
    verifier: await ES256.getVerifier(issuer_jwk),
    hasher: digest,
    hashAlg: "sha-256",
    kbVerifier: async (data, signature, payload) =>
      (await ES256.getVerifier(payload.cnf.jwk))(data, signature),
  });
  const times_us = [];
  for (const presentation of presentations) {
    const started = performance.now();
    const { payload, kb } = await instance.verify(presentation, {
      keyBindingNonce: nonce,
      currentDate: now,
    });
    if (kb.payload.aud !== audience || payload.vct !== vct) throw new Error("not what was asked for");
    times_us.push((performance.now() - started) * 1000);
  }
  return { times_us: times_us.slice(warmup) };
}

const actions = { issue, verify, measure };
const answer = await actions[request.do](request);
process.stdout.write(JSON.stringify(answer));
