// A wallet that holds W3C credentials, of npm packages alone: @openid4vc/openid4vp reads the request
// and encrypts the answer, jose signs a VP JWT, @digitalbazaar/vc a presentation.
// Lines of JSON: {link, credential, key, did, nonce?, documents, now} in, the answer's form out.
import { createInterface } from "node:readline";
import * as EcdsaMultikey from "@digitalbazaar/ecdsa-multikey";
import * as vc from "@digitalbazaar/vc";
import { DataIntegrityProof } from "@digitalbazaar/data-integrity";
import { cryptosuite } from "@digitalbazaar/ecdsa-rdfc-2019-cryptosuite";
import { Openid4vpClient } from "@openid4vc/openid4vp";
import { SignJWT, importJWK } from "jose";
import { callbacks, encryptedTo } from "./openid4vp_callbacks.mjs";

const client = new Openid4vpClient({ callbacks });

async function vpJwt({ credential, key, did, now }, audience, nonce) {
  const vp = {
    "@context": ["https://www.w3.org/2018/credentials/v1"],
    type: ["VerifiablePresentation"],
    verifiableCredential: [credential],
  };
  return new SignJWT({ vp, nonce, iss: did, aud: audience })
    .setProtectedHeader({ alg: "ES256", typ: "JWT", kid: `${did}#0` })
    .setIssuedAt(now)
    .setExpirationTime(now + 60)
    .sign(await importJWK(key, "ES256"));
}

async function signedPresentation({ credential, key, did, documents, now }, domain, challenge) {
  const documentLoader = async (url) => {
    if (documents[url] === undefined) throw new Error(`not in the request: ${url}`);
    return { contextUrl: null, documentUrl: url, document: documents[url] };
  };
  const pair = await EcdsaMultikey.fromJwk({ jwk: key, secretKey: true });
  pair.id = `${did}#0`;
  pair.controller = did;
  const date = new Date(now * 1000).toISOString().replace(".000Z", "Z");
  const presentation = vc.createPresentation({
    verifiableCredential: [credential], holder: did, now: new Date(now * 1000), version: 2.0,
    verify: false,
  });
  const suite = new DataIntegrityProof({ signer: pair.signer(), date, cryptosuite });
  return vc.signPresentation({ presentation, suite, documentLoader, challenge, domain });
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const { params } = client.parseOpenid4vpAuthorizationRequest({ authorizationRequest: asked.link });
  const resolved = await client.resolveOpenId4vpAuthorizationRequest({
    authorizationRequestPayload: params,
  });
  const request = resolved.authorizationRequestPayload;
  const [query] = request.dcql_query.credentials;
  const present = query.format === "jwt_vc_json" ? vpJwt : signedPresentation;
  const shown = await present(asked, request.client_id, asked.nonce ?? request.nonce);
  const { authorizationResponsePayload, jarm } = await client.createOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: request,
    authorizationResponsePayload: { vp_token: { [query.id]: [shown] } },
    ...encryptedTo(request),
  });
  const { vp_token, state } = authorizationResponsePayload;
  const form = jarm
    ? { response: jarm.responseJwt }
    : { vp_token: JSON.stringify(vp_token), ...(state === undefined ? {} : { state }) };
  process.stdout.write(JSON.stringify({ form, format: query.format }) + "\n");
}
