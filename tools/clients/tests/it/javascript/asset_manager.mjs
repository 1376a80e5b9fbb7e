// The asset manager of @icp-sdk/canisters, doing all that it can do.
import assert from "node:assert/strict";
import { HttpAgent } from "@icp-sdk/core/agent";
import { Ed25519KeyIdentity } from "@icp-sdk/core/identity";
// By its path, because what the package gives an `import` by name is made for bundlers.
import { AssetManager } from "./node_modules/@icp-sdk/canisters/assets/index.mjs";

const [host, canisterId] = process.argv.slice(2);
const identity = Ed25519KeyIdentity.generate(new Uint8Array(32).fill(7));
const agent = await HttpAgent.create({ host, identity, shouldFetchRootKey: true });
const assets = new AssetManager({ agent, canisterId });

const bytes = (text) => new TextEncoder().encode(text);
const keys = async () => (await assets.list()).map(({ key }) => key).sort();

// One call.
const small = await assets.store(bytes("small"), { fileName: "small.txt" });
assert.equal(small, "/small.txt");
const asset = await assets.get(small);
assert.equal(asset.contentType, "text/plain");
assert.equal(asset.length, 5);
assert.deepEqual(await asset.toUint8Array(), bytes("small"));
assert.ok(await asset.verifySha256());

// A batch, because it is more than a message takes.
const content = Uint8Array.from({ length: 4_000_000 }, (_, at) => (at * at) % 251);
const steps = [];
const large = await assets.store(content, {
  fileName: "large file.bin",
  path: "/größe",
  onProgress: ({ current }) => steps.push(current),
});
assert.equal(large, "/größe/large file.bin");
assert.equal(steps.at(-1), content.length);
const whole = await assets.get(large);
assert.ok(whole.length > whole.chunkSize);
assert.deepEqual(await whole.toUint8Array(), content);
assert.ok(await whole.verifySha256());

// Two encodings of one asset, of which the client's choice is read.
await assets.store(bytes("not really zipped"), {
  fileName: "small.txt",
  contentEncoding: "gzip",
});
const zipped = await assets.get(small, ["gzip", "identity"]);
assert.equal(zipped.contentEncoding, "gzip");
assert.equal((await assets.get(small)).contentEncoding, "identity");

// Several changes at once.
const batch = assets.batch();
await batch.store(bytes("<h1>index</h1>"), { fileName: "index.html", headers: [["x-a", "b"]] });
await batch.store(bytes("p {}"), { fileName: "style.css" });
batch.delete(small);
await batch.commit();
assert.deepEqual(await keys(), ["/größe/large file.bin", "/index.html", "/style.css"]);

// More than a page of the list.
const many = assets.batch();
for (let number = 0; number < 150; number++) {
  await many.store(bytes(`${number}`), { fileName: `${number}.txt`, path: "/many" });
}
await many.commit();
assert.equal((await keys()).length, 153);

await assets.delete("/style.css");
assert.ok(!(await keys()).includes("/style.css"));
await assert.rejects(assets.get("/style.css"), /asset not found/);

await assets.clear();
assert.deepEqual(await keys(), []);
await assets.store(bytes("<h1>stays</h1>"), { fileName: "index.html" });
