// Answers of the site, held to be true by @dfinity/response-verification.
import assert from "node:assert/strict";
import { Actor, HttpAgent } from "@icp-sdk/core/agent";
import { IDL } from "@icp-sdk/core/candid";
import { Principal } from "@icp-sdk/core/principal";
import { verifyRequestResponsePair } from "@dfinity/response-verification";

const [host, canisterId] = process.argv.slice(2);
const agent = await HttpAgent.create({ host, shouldFetchRootKey: true });

const Headers = IDL.Vec(IDL.Tuple(IDL.Text, IDL.Text));
const Request = IDL.Record({
  method: IDL.Text,
  url: IDL.Text,
  headers: Headers,
  body: IDL.Vec(IDL.Nat8),
  certificate_version: IDL.Opt(IDL.Nat16),
});
const Response = IDL.Record({
  status_code: IDL.Nat16,
  headers: Headers,
  body: IDL.Vec(IDL.Nat8),
});
const site = Actor.createActor(
  () => IDL.Service({ http_request: IDL.Func([Request], [Response], ["query"]) }),
  { agent, canisterId },
);

const request = (url, headers = [], method = "GET") => ({
  method,
  url,
  headers,
  body: new Uint8Array(),
  certificate_version: [2],
});

const verify = (request, response) =>
  verifyRequestResponsePair(
    request,
    response,
    Principal.fromText(canisterId).toUint8Array(),
    BigInt(Date.now()) * 1_000_000n,
    300_000_000_000n,
    agent.rootKey,
    2,
  );

const header = ({ headers }, wanted) =>
  headers.find(([name]) => name.toLowerCase() === wanted)?.[1];

const film = await site.http_request(request("/film.mp4"));
const [, last] = /^bytes 0-(\d+)\//.exec(header(film, "content-range"));

const cases = [
  [200, request("/about.html")],
  [200, request("/about")],
  [200, request("/long.txt", [["accept-encoding", "gzip"]])],
  [200, request("/long.txt", [["accept-encoding", "identity"]])],
  [200, request("/two%20words.txt")],
  [404, request("/nothing/there")],
  [405, request("/about.html", [], "POST")],
  [206, request("/film.mp4")],
  [206, request("/film.mp4", [["range", `bytes=${Number(last) + 1}-`]])],
];
for (const [status, asked] of cases) {
  const name = `${asked.method} ${asked.url}`;
  const response = await site.http_request(asked);
  assert.equal(response.status_code, status, name);
  const { verificationVersion, response: certified } = verify(asked, response);
  assert.equal(verificationVersion, 2, name);
  assert.equal(certified.statusCode, status, name);
  assert.deepEqual(new Uint8Array(certified.body), response.body, name);

  // Nothing else is believed.
  assert.throws(() => verify(asked, { ...response, body: [...response.body, 1] }), name);
  assert.throws(() => verify(asked, { ...response, status_code: 201 }), name);
  assert.throws(() => verify(request("/index.html"), response), name);
}
const [, zipped] = cases[2];
assert.equal(header(await site.http_request(zipped), "content-encoding"), "gzip");
