// The protocol part of a wallet by @openid4vc/openid4vp: read a request, send an answer to it.
// Lines of JSON: {link} in, what was asked out; {vp_token} in, what the verifier said out.
import { createHash, createPublicKey, X509Certificate } from "node:crypto";
import { createInterface } from "node:readline";
import { setGlobalConfig } from "@openid4vc/oauth2";
import { Openid4vpClient } from "@openid4vc/openid4vp";
import { CompactEncrypt, exportJWK, importJWK, compactVerify } from "jose";

setGlobalConfig({ allowInsecureUrls: true });

const resolveDid = async (didUrl) => {
  const [did] = didUrl.split("#");
  const host = decodeURIComponent(did.split(":")[2]);
  const answer = await fetch(`http://${host}/.well-known/did.json`);
  const document = await answer.json();
  return document.verificationMethod.find((method) => method.id === didUrl).publicKeyJwk;
};

const certificate = (base64) => new X509Certificate(Buffer.from(base64, "base64"));

const callbacks = {
  fetch,
  hash: (data, algorithm) =>
    new Uint8Array(createHash(algorithm.replace("-", "")).update(data).digest()),
  verifyJwt: async (signer, { compact }) => {
    const jwk =
      signer.method === "did"
        ? await resolveDid(signer.didUrl)
        : await exportJWK(createPublicKey(certificate(signer.x5c[0]).publicKey.export({ type: "spki", format: "pem" })));
    try {
      await compactVerify(compact, await importJWK(jwk, signer.alg));
      return { verified: true, signerJwk: { ...jwk, alg: signer.alg } };
    } catch {
      return { verified: false };
    }
  },
  getX509CertificateMetadata: (base64) => ({
    sanDnsNames: (certificate(base64).subjectAltName ?? "")
      .split(", ")
      .filter((name) => name.startsWith("DNS:"))
      .map((name) => name.slice(4)),
    sanUriNames: [],
  }),
  encryptJwe: async (encryptor, data) => {
    const jwk = encryptor.publicJwk;
    const jwe = await new CompactEncrypt(new TextEncoder().encode(data))
      .setProtectedHeader({ alg: encryptor.alg, enc: encryptor.enc, kid: jwk.kid })
      .setKeyManagementParameters({
        apu: encryptor.apu ? Buffer.from(encryptor.apu, "base64url") : undefined,
        apv: encryptor.apv ? Buffer.from(encryptor.apv, "base64url") : undefined,
      })
      .encrypt(await importJWK(jwk, encryptor.alg));
    return { encryptionJwk: jwk, jwe };
  },
  decryptJwe: async () => ({ decrypted: false }),
  signJwt: async () => {
    throw new Error("this wallet signs no request");
  },
};

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");
const { link } = JSON.parse((await lines.next()).value);
const client = new Openid4vpClient({ callbacks });
const parsed = client.parseOpenid4vpAuthorizationRequest({ authorizationRequest: link });
const resolved = await client.resolveOpenId4vpAuthorizationRequest({
  authorizationRequestPayload: parsed.params,
});
const request = resolved.authorizationRequestPayload;
say({
  client_id: request.client_id,
  nonce: request.nonce,
  dcql_query: request.dcql_query,
  response_mode: request.response_mode,
  version: resolved.version,
});
const { vp_token } = JSON.parse((await lines.next()).value);
const created = await client.createOpenid4vpAuthorizationResponse({
  authorizationRequestPayload: request,
  authorizationResponsePayload: { vp_token },
  ...(request.response_mode.endsWith(".jwt")
    ? {
        jarm: {
          encryption: { nonce: "holder-nonce" },
          serverMetadata: {
            authorization_signing_alg_values_supported: [],
            authorization_encryption_alg_values_supported: ["ECDH-ES"],
            authorization_encryption_enc_values_supported: ["A128GCM", "A256GCM"],
          },
        },
      }
    : {}),
});
const sent = await client.submitOpenid4vpAuthorizationResponse({
  authorizationRequestPayload: request,
  authorizationResponsePayload: created.authorizationResponsePayload,
  jarm: created.jarm,
});
say({ status: sent.response.status, body: await sent.response.json() });
process.exit(0);
