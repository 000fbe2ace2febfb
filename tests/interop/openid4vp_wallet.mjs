// The protocol part of a wallet by @openid4vc/openid4vp: read a request, send an answer to it.
// Lines of JSON: {link} in, what was asked out; {vp_token} in, what the verifier said out.
import { createInterface } from "node:readline";
import { Openid4vpClient } from "@openid4vc/openid4vp";
import { callbacks, encryptedTo } from "./openid4vp_callbacks.mjs";

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
  ...encryptedTo(request),
});
const sent = await client.submitOpenid4vpAuthorizationResponse({
  authorizationRequestPayload: request,
  authorizationResponsePayload: created.authorizationResponsePayload,
  jarm: created.jarm,
});
say({ status: sent.response.status, body: await sent.response.json() });
process.exit(0);
