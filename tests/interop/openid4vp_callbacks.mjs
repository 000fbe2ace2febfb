// What @openid4vc/openid4vp asks of the wallet around it: hashes, signatures, DIDs over http.
import { createHash, createPublicKey, X509Certificate } from "node:crypto";
import { setGlobalConfig } from "@openid4vc/oauth2";
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

export const callbacks = {
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

// For requests whose answer is encrypted.
export const encryptedTo = (request) =>
  request.response_mode.endsWith(".jwt")
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
    : {};
