// Fetches this very page once more, reads the proof that came with it, and shows it.

import { children, facts, hex } from "./certificate.js";

const here = location.href.split("#")[0];
const $ = (selector) => document.querySelector(selector);

async function prove() {
  let header;
  try {
    header = (await fetch(here, { cache: "no-store" })).headers.get("ic-certificate");
  } catch {
    return verdict("unproved", "No answer.", "The server could not be asked again, so there is no proof to show.");
  }
  if (!header) {
    return verdict("unproved", "No proof here.",
      "This server sent no IC-Certificate header, so nothing on this page is proved. Serve it with Hallmark and the marks fill in.");
  }
  if (!globalThis.crypto?.subtle) {
    return verdict("unproved", "Cannot check here.",
      "The proof arrived, but browsers only hash on secure origins. Open the page over https, or on a localhost name.");
  }
  let proof;
  try {
    proof = await facts(header);
  } catch (error) {
    return verdict("failed", "The proof is broken.", `The IC-Certificate header cannot be read: ${error.message}.`);
  }
  show(proof);
  if (proof.match) {
    verdict("proved", "Proved.", "The witness that came with this page hashes to exactly the data the network certified.");
  } else {
    verdict("failed", "The hashes differ.", "The witness that came with this page does not hash to the certified data. Do not trust it.");
  }
}

function verdict(state, title, text) {
  document.documentElement.dataset.proof = state;
  const place = $("#verdict");
  if (place) place.replaceChildren(element("strong", title), ` ${text}`);
  if (state === "unproved") for (const each of document.querySelectorAll("[data-fact]")) each.textContent = "none";
  if (state !== "proved") fact("summary", title.replace(/\.$/, ""));
}

function show({ canister, siteHash, rootHash, certifiedData, time, tree, version }) {
  const date = new Date(Number(time / 1_000_000n));
  fact("canister", canister);
  fact("site-hash", hex(siteHash));
  fact("root-hash", hex(rootHash));
  fact("certified-data", hex(certifiedData));
  fact("version", version);
  fact("time", date.toISOString().slice(11, 19) + " UTC");
  fact("date", date.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" }));
  fact("summary", `Site hash ${hex(siteHash).slice(0, 8)}…${hex(siteHash).slice(-4)}, certified ${date.toISOString().slice(11, 19)} UTC`);
  for (const each of document.querySelectorAll("time[data-fact]")) each.dateTime = date.toISOString();
  const drawing = $("#witness");
  if (drawing) drawing.replaceChildren(branch("root", hex(rootHash), tree, []));
}

function fact(name, text) {
  for (const each of document.querySelectorAll(`[data-fact="${name}"]`)) each.textContent = text;
}

// ---- the witness as an outline -------------------------------------------------------

// What the labels under `http_expr / … / <$>` mean, by how deep below it they stand.
const BELOW = ["how to verify it", "the request's part", "the response itself"];

function branch(name, note, node, path) {
  const item = element("li");
  item.append(element("span", name, "label"));
  if (note) item.append(" ", element("span", note, "note"));
  const list = element("ul");
  let pruned = [];
  const flush = () => {
    if (!pruned.length) return;
    const what = pruned.length === 1 ? "a branch, as its hash" : `${pruned.length} branches, as hashes`;
    const line = element("li", "", "pruned");
    line.append(element("span", pruned.map((h) => hex(h).slice(0, 4)).join(" "), "label"), " ", element("span", what, "note"));
    list.append(line);
    pruned = [];
  };
  for (const child of children(node)) {
    if (child.pruned) { pruned.push(child.pruned); continue; }
    flush();
    if (child.label) {
      const text = labelText(child.label);
      list.append(branch(text.shown, meaning(path, text.plain), child.node, [...path, text.plain]));
    }
  }
  flush();
  if (list.children.length) item.append(list);
  return item;
}

function labelText(bytes) {
  const plain = new TextDecoder().decode(bytes);
  if (bytes.length === 32 && /[^\x20-\x7e]/.test(plain)) return { plain: hex(bytes), shown: `${hex(bytes).slice(0, 12)}…` };
  return { plain, shown: plain === "" ? "“”" : plain };
}

function meaning(path, label) {
  if (path.length === 0) return label === "http_expr" ? "the site" : "";
  const end = path.findIndex((p) => p === "<$>" || p === "<*>");
  if (end >= 0) return BELOW[path.length - end - 1] ?? "";
  if (label === "<$>") return "exactly this path";
  if (label === "<*>") return "any path below";
  return "";
}

// ---- the other files -----------------------------------------------------------------

async function survey() {
  const button = $("#survey button");
  button.disabled = true;
  const first = $('[data-fact="site-hash"]').textContent;
  for (const row of document.querySelectorAll("#survey li")) {
    const place = row.querySelector("output");
    place.textContent = "…";
    try {
      const header = (await fetch(row.querySelector("a").href, { cache: "no-store" })).headers.get("ic-certificate");
      const proof = header && await facts(header);
      row.dataset.proof = proof?.match && hex(proof.siteHash) === first ? "proved" : "unproved";
      place.textContent = !proof ? "no proof" : !proof.match ? "does not match" : `${hex(proof.siteHash).slice(0, 8)}…`;
    } catch (error) {
      row.dataset.proof = "unproved";
      place.textContent = error.message;
    }
  }
  button.disabled = false;
}

function element(tag, text = "", className = "") {
  const node = document.createElement(tag);
  node.textContent = text;
  if (className) node.className = className;
  return node;
}

if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
  for (const film of document.querySelectorAll("video")) { film.autoplay = false; film.controls = true; film.pause(); }
}
$("#survey button")?.addEventListener("click", survey);
await prove();
