// What an IC-Certificate header says: CBOR, hash trees, principals. No DOM here.
//
//   IC-Certificate: version=2, certificate=:…:, tree=:…:, expr_path=:…:
//
// `certificate` is signed by the network and holds the canister's certified data;
// `tree` is the witness: enough of the canister's own tree to compute its root.

/** Splits the header and decodes its parts. Throws on anything malformed. */
export function parseHeader(header) {
  const fields = new Map();
  for (const part of header.split(",")) {
    const at = part.indexOf("=");
    fields.set(part.slice(0, at).trim(), part.slice(at + 1).trim());
  }
  const binary = (name) => {
    const value = fields.get(name) ?? "";
    if (!/^:.*:$/.test(value)) throw new Error(`the header has no ${name}`);
    return cbor(Uint8Array.from(atob(value.slice(1, -1)), (c) => c.charCodeAt(0)));
  };
  return {
    version: fields.get("version") ?? "1",
    certificate: binary("certificate"),
    tree: binary("tree"),
    path: fields.has("expr_path") ? binary("expr_path") : [],
  };
}

/** The facts that the header and WebCrypto establish between them. */
export async function facts(header) {
  const { version, certificate, tree, path } = parseHeader(header);
  const [canister, state] = certifiedCanister(certificate.tree);
  const certifiedData = leaf(lookup(state, ["certified_data"]));
  const site = lookup(tree, ["http_expr"]);
  if (!site) throw new Error("the witness has no http_expr");
  const [siteHash, rootHash] = await Promise.all([digest(site), digest(tree)]);
  return {
    version, tree, path, siteHash, rootHash, certifiedData,
    canister: principal(canister),
    time: leb128(leaf(lookup(certificate.tree, ["time"]))),
    match: hex(rootHash) === hex(certifiedData),
  };
}

/** Lower-case hexadecimal. */
export const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");

// ---- hash trees (interface specification, "Certificates") ----------------------------

const EMPTY = 0, FORK = 1, LABELED = 2, LEAF = 3, PRUNED = 4;
const utf8 = new TextEncoder();

/** The children of a node as labels see them: forks flattened, in order. */
export function children(node) {
  if (node[0] === FORK) return [...children(node[1]), ...children(node[2])];
  if (node[0] === LABELED) return [{ label: node[1], node: node[2] }];
  if (node[0] === PRUNED) return [{ pruned: node[1] }];
  if (node[0] === LEAF) return [{ leaf: node[1] }];
  return [];
}

function lookup(node, path) {
  for (const step of path) {
    const wanted = hex(typeof step === "string" ? utf8.encode(step) : step);
    node = children(node).find((c) => c.label && hex(c.label) === wanted)?.node;
    if (!node) return undefined;
  }
  return node;
}

function leaf(node) {
  if (node?.[0] !== LEAF) throw new Error("the certificate lacks a leaf");
  return node[1];
}

/** The canister whose certified data the certificate carries: [id, its subtree]. */
function certifiedCanister(tree) {
  const canisters = lookup(tree, ["canister"]) ?? [EMPTY];
  const entry = children(canisters).find((c) => c.label && lookup(c.node, ["certified_data"]));
  if (!entry) throw new Error("the certificate is about no canister");
  return [entry.label, entry.node];
}

/** The hash of a tree; pruned branches stand in for themselves. */
export async function digest(node) {
  switch (node[0]) {
    case EMPTY: return sha256(domain("ic-hashtree-empty"));
    case FORK: return sha256(domain("ic-hashtree-fork"), ...(await Promise.all([digest(node[1]), digest(node[2])])));
    case LABELED: return sha256(domain("ic-hashtree-labeled"), node[1], await digest(node[2]));
    case LEAF: return sha256(domain("ic-hashtree-leaf"), node[1]);
    case PRUNED: return node[1];
    default: throw new Error("not a hash tree");
  }
}

const domain = (name) => Uint8Array.of(name.length, ...utf8.encode(name));

async function sha256(...parts) {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", all));
}

// ---- CBOR (RFC 8949), as much of it as certificates use ------------------------------

export function cbor(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const argument = (info) => {
    if (info < 24) return info;
    const size = 1 << (info - 24);
    if (size > 8) throw new Error("CBOR of indefinite length");
    const value = size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at)
      : size === 4 ? view.getUint32(at) : Number(view.getBigUint64(at));
    at += size;
    return value;
  };
  const take = (n) => {
    if (at + n > bytes.length) throw new Error("CBOR ends too early");
    return bytes.subarray(at, (at += n));
  };
  const item = () => {
    const [head] = take(1);
    const n = argument(head & 31);
    switch (head >> 5) {
      case 0: return n;
      case 2: return take(n);
      case 3: return new TextDecoder().decode(take(n));
      case 4: return Array.from({ length: n }, item);
      case 5: return Object.fromEntries(Array.from({ length: n }, () => [item(), item()]));
      case 6: return item();
      default: throw new Error("CBOR of an unexpected type");
    }
  };
  return item();
}

/** Unsigned LEB128, as the certificate's time is written (nanoseconds). */
function leb128(bytes) {
  return bytes.reduce((n, b, i) => n | (BigInt(b & 127) << BigInt(7 * i)), 0n);
}

// ---- principals: CRC-32 and base 32 in groups of five --------------------------------

export function principal(bytes) {
  let crc = ~0;
  for (const b of bytes) {
    crc ^= b;
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  crc = ~crc >>> 0;
  let bits = 0, held = 0, text = "";
  for (const b of [crc >>> 24, (crc >>> 16) & 255, (crc >>> 8) & 255, crc & 255, ...bytes]) {
    held = (held << 8) | b;
    bits += 8;
    while (bits >= 5) { bits -= 5; text += "abcdefghijklmnopqrstuvwxyz234567"[(held >>> bits) & 31]; }
    held &= (1 << bits) - 1;
  }
  if (bits) text += "abcdefghijklmnopqrstuvwxyz234567"[(held << (5 - bits)) & 31];
  return text.match(/.{1,5}/g).join("-");
}
