// Runs @openid4vc/openid4vci as a wallet for the tests: one JSON request in a line of standard
// input, one JSON answer in a line.
// {"offer", "client_id", "redirect_uri", "login": {…}, "tx_code"?, "dpop", "copies"}
// When the issuer defers, a line {"waiting", "interval"} comes first, and the next line of standard
// input lets the wallet ask again.
import { createInterface } from "node:readline";
import { createHash, randomBytes, subtle } from "node:crypto";
import {
  clientAuthenticationAnonymous,
  clientAuthenticationNone,
  preAuthorizedCodeGrantIdentifier,
  setGlobalConfig,
} from "@openid4vc/oauth2";
import { Openid4vciClient } from "@openid4vc/openid4vci";

const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const request = JSON.parse((await input.next()).value);
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
setGlobalConfig({ allowInsecureUrls: true });

const algorithm = { name: "ECDSA", namedCurve: "P-256" };
const base64url = (data) => Buffer.from(data).toString("base64url");

async function newKey() {
  const pair = await subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const { kty, crv, x, y } = await subtle.exportKey("jwk", pair.publicKey);
  return { jwk: { kty, crv, x, y }, secret: pair.privateKey };
}

const keys = [];
for (let i = 0; i <= request.copies; i += 1) keys.push(await newKey());
const [dpopKey, ...copyKeys] = keys;

// The client refuses a deferred answer with both credentials and notification_id, which §9.2 allows
// (its check is the wrong way round), so the id is kept from its eyes and used afterwards.
let deferredNotification;
async function fetchForClient(url, options) {
  const answer = await fetch(url, options);
  if (!String(url).endsWith("/deferred-credential") || answer.status !== 200) return answer;
  const { notification_id: id, ...body } = await answer.json();
  deferredNotification = id;
  return new Response(JSON.stringify(body), { status: 200, headers: answer.headers });
}

const callbacks = {
  fetch: fetchForClient,
  hash: (data, name) => createHash(name.replace("-", "")).update(data).digest(),
  generateRandom: (size) => randomBytes(size),
  signJwt: async (signer, { header, payload }) => {
    const key = keys.find(({ jwk }) => jwk.x === signer.publicJwk.x);
    const signed = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(payload))}`;
    const signature = await subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key.secret, Buffer.from(signed));
    return { jwt: `${signed}.${base64url(signature)}`, signerJwk: key.jwk };
  },
  verifyJwt: () => { throw new Error("nothing is verified by this wallet"); },
  encryptJwe: () => { throw new Error("nothing is encrypted by this wallet"); },
  decryptJwe: () => { throw new Error("nothing is decrypted by this wallet"); },
  clientAuthentication: request.client_id
    ? clientAuthenticationNone({ clientId: request.client_id })
    : clientAuthenticationAnonymous(),
};
const client = new Openid4vciClient({ callbacks });

async function browser(url) {
  let page = await fetch(url, { redirect: "manual" });
  const cookie = page.headers.get("set-cookie").split(";")[0];
  const origin = new URL(url).origin;
  for (const fields of [request.login, { decision: "allow" }]) {
    const text = await page.text();
    const [, action] = text.match(/<form method="post" action="([^"]+)"/);
    const [, csrf] = text.match(/name="csrf" value="([^"]+)"/);
    page = await fetch(new URL(action, origin), {
      method: "POST",
      redirect: "manual",
      headers: { cookie, origin },
      body: new URLSearchParams({ csrf, ...fields }),
    });
  }
  return page.headers.get("location");
}

const credentialOffer = await client.resolveCredentialOffer(request.offer);
const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer);
const signer = { method: "jwk", alg: "ES256", publicJwk: dpopKey.jwk };
const dpop = request.dpop ? { signer } : undefined;

let tokens;
if (credentialOffer.grants?.[preAuthorizedCodeGrantIdentifier]) {
  tokens = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
    credentialOffer, issuerMetadata, txCode: request.tx_code, dpop,
  });
} else {
  const configurationId = credentialOffer.credential_configuration_ids[0];
  const { scope } = issuerMetadata.credentialIssuer.credential_configurations_supported[configurationId];
  const begun = await client.initiateAuthorization({
    credentialOffer, issuerMetadata, clientId: request.client_id,
    redirectUri: request.redirect_uri, scope, dpop,
  });
  const redirected = await browser(begun.authorizationRequestUrl);
  const answer = client.parseAndVerifyAuthorizationResponseRedirectUrl({
    url: redirected,
    authorizationServerMetadata: issuerMetadata.authorizationServers[0],
  });
  if (answer.error) throw new Error(answer.error);
  tokens = await client.retrieveAuthorizationCodeAccessTokenFromOffer({
    credentialOffer, issuerMetadata, authorizationCode: answer.code,
    pkceCodeVerifier: begun.pkce.codeVerifier, redirectUri: request.redirect_uri, dpop,
  });
}

const credentialConfigurationId = credentialOffer.credential_configuration_ids[0];
const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata });
const proofs = [];
for (const { jwk } of copyKeys) {
  const { jwt } = await client.createCredentialRequestJwtProof({
    issuerMetadata, credentialConfigurationId, nonce,
    signer: { method: "jwk", alg: "ES256", publicJwk: jwk },
  });
  proofs.push(jwt);
}
const access = { accessToken: tokens.accessTokenResponse.access_token, dpop: tokens.dpop };
let { credentialResponse } = await client.retrieveCredentials({
  ...access, issuerMetadata, credentialConfigurationId, proofs: { jwt: proofs },
});

async function askAgain() {
  const { transaction_id: transactionId } = credentialResponse;
  try {
    const { deferredCredentialResponse } = await client.retrieveDeferredCredentials({
      ...access, issuerMetadata, transactionId,
    });
    return deferredCredentialResponse;
  } catch (error) {
    const refusal = error.response?.deferredCredentialErrorResponseResult;
    if (!refusal?.success) throw error;
    return { refused: refusal.data.error };
  }
}

if (credentialResponse.transaction_id) {
  // Nobody decided yet, so asking at once changes nothing.
  const { transaction_id: waiting, interval } = await askAgain();
  say({ waiting, interval, same: waiting === credentialResponse.transaction_id });
  await input.next();
  credentialResponse = await askAgain();
}
const notificationId = credentialResponse.notification_id ?? deferredNotification;
if (notificationId) {
  await client.sendNotification({
    ...access, issuerMetadata,
    notification: { notificationId, event: "credential_accepted" },
  });
}
say({
  draft: issuerMetadata.originalDraftVersion,
  token_type: tokens.accessTokenResponse.token_type,
  refresh_token: Boolean(tokens.accessTokenResponse.refresh_token),
  response: credentialResponse,
  notified: Boolean(notificationId),
  keys: copyKeys.map(({ jwk }) => jwk),
});
process.stdin.destroy();
