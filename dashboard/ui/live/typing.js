// Words are saved while they are typed, two seconds after the first that is not saved yet, without drawing the page.
//
// The page marks each field with a line `.ed-typed` under it, which says where its words belong, what was saved there
// when the page was drawn, and in which version. What the desk has not confirmed is kept in this tab's own storage,
// under a key that only its writer gets from the desk, until it is confirmed.

const WAIT = 2000;
const AGAIN = 5000;
const SEEN = /[^\p{C}\p{M}\p{Z}\u115f\u1160\u3164\uffa0\u2800]/u; // as the desk counts: core/rules/visible_text.py
const UNSEEN = /[\p{Cf}\u115f\u1160\u3164\uffa0\u2800]/gu;
const OLDEST = 8 * 3600 * 1000;
const STORED = "escrow-desk:words:";
const fields = new Map(); // place → what is known about it, kept while the page is drawn again
const others = new BroadcastChannel("escrow-desk:words");
let who = { staff: 0, tab: "", key: null };
let told = 0; // how often this tab has told the others that places were used or begun again

export default async function (component) {
  const { data } = component;
  if (who.staff && who.staff !== data.staff) return location.reload(); // nothing of one person is left for the next
  who = { staff: data.staff, tab: data.tab, key: await keyOf(data.key) };
  sweep();
  look();
  const [number, places] = data.again;
  if (number > told) places.forEach((place) => others.postMessage({ staff: who.staff, place }));
  told = number;
}

async function keyOf(given) {
  if (!globalThis.crypto?.subtle) return null; // without HTTPS nothing is kept in the browser
  const bytes = Uint8Array.from(atob(given), (each) => each.charCodeAt(0));
  return crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
}

// ---- Which fields there are

function look() {
  if (!who.staff) return;
  for (const line of document.querySelectorAll(".ed-typed[data-place]")) adopt(line);
}

function adopt(line) {
  const { place } = line.dataset;
  const version = Number(line.dataset.version);
  let field = fields.get(place);
  if (!field || field.staff !== who.staff) {
    field = { place, staff: who.staff, base: -1, saved: "", at: "", state: "", timer: 0, busy: false, mine: null };
    fields.set(place, field);
  }
  if (field.line === line && field.mark === line.dataset.mark) {
    if (!field.recovered) recover(field);
    return;
  }
  Object.assign(field, { line, mark: line.dataset.mark, least: Number(line.dataset.least), most: Number(line.dataset.most) });
  if (version > field.base) {
    Object.assign(field, { base: version, saved: text(line.dataset.saved), at: line.dataset.at, elsewhere: null });
    if (field.state !== "fault") field.state = "";
  }
  show(field);
  recover(field);
}

function inputOf(field) {
  return document.querySelector(`${field.line.dataset.field} :is(textarea, input)`);
}

function fieldOf(target) {
  for (const field of fields.values()) {
    if (field.line?.isConnected && target.closest?.(field.line.dataset.field)) return field;
  }
  return null;
}

function unsaved(field) {
  const input = field.line?.isConnected && inputOf(field);
  if (input) field.mine = input.value;
  return field.mine !== null && field.mine !== field.saved;
}

// ---- Saving

function typed(event) {
  const field = fieldOf(event.target);
  if (!field) return;
  field.touched = true;
  if (!unsaved(field)) {
    field.state = "";
    forget(field);
  } else {
    if (field.state !== "fault") field.state = "dirty";
    keep(field);
    soon(field, WAIT);
  }
  show(field);
}

function soon(field, wait) {
  if (field.timer || field.elsewhere) return;
  field.timer = setTimeout(() => save(field), wait);
}

async function save(field, last = false) {
  clearTimeout(field.timer);
  field.timer = 0;
  if (field.busy || field.elsewhere || field.staff !== who.staff || !unsaved(field)) return;
  const body = field.mine;
  field.busy = true;
  const answer = await ask("POST", "/words", { staff: who.staff, tab: who.tab, place: field.place, body, base: field.base }, last);
  field.busy = false;
  if (answer.status === 200) confirmed(field, body, answer.said);
  else if (answer.status === 409) changed(field, answer.said);
  else {
    field.state = "fault";
    field.why = answer.said.why;
    field.out = answer.status === 401;
    if ([0, 401, 503].includes(answer.status)) soon(field, AGAIN);
  }
  show(field);
}

function confirmed(field, body, said) {
  Object.assign(field, { saved: body, base: said.version, at: said.at, state: "", why: "", out: false, elsewhere: null });
  others.postMessage({ staff: who.staff, place: field.place });
  if (unsaved(field)) {
    field.state = "dirty";
    soon(field, WAIT);
  } else forget(field);
}

// Another tab has saved there since, or has sent what stood there.
function changed(field, said) {
  if (said.body === (field.mine ?? field.saved)) {
    confirmed(field, said.body, said);
  } else field.elsewhere = said;
}

async function check() {
  const open = [...fields.values()].filter((each) => each.line?.isConnected && each.staff === who.staff);
  if (!open.length) return;
  const asked = new URLSearchParams([["staff", who.staff], ...open.map((each) => ["place", each.place])]);
  const { status, said } = await ask("GET", `/words?${asked}`);
  if (status !== 200) return;
  for (const field of open) {
    const there = said[field.place];
    if (there && there.version > field.base && !field.busy) {
      unsaved(field);
      changed(field, there);
      show(field);
    }
  }
}

async function ask(method, path, what, last = false) {
  try {
    const answer = await fetch(path, {
      method,
      keepalive: last,
      credentials: "same-origin",
      headers: what ? { "Content-Type": "application/json" } : {},
      body: what && JSON.stringify(what),
    });
    const said = await answer.json().catch(() => ({ why: answer.status === 401 ? "you are signed out" : "the desk gave no answer" }));
    return { status: answer.status, said };
  } catch {
    return { status: 0, said: { why: "the desk cannot be reached" } };
  }
}

// ---- What this tab keeps until the desk has it

async function keep(field) {
  if (!who.key) return;
  const text = field.mine;
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const words = new TextEncoder().encode(JSON.stringify({ text, base: field.base }));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, who.key, words);
  if (field.mine !== text || field.mine === field.saved) return;
  try {
    sessionStorage.setItem(nameOf(field), JSON.stringify({ at: Date.now(), iv: coded(iv), sealed: coded(new Uint8Array(sealed)) }));
    field.kept = true;
  } catch {
    field.kept = false;
  }
}

function forget(field) {
  sessionStorage.removeItem(nameOf(field));
}

function nameOf(field) {
  return `${STORED}${field.staff}:${field.place}`;
}

function sweep() {
  for (const name of Object.keys(sessionStorage).filter((each) => each.startsWith(STORED))) {
    const { at } = JSON.parse(sessionStorage.getItem(name));
    if (Date.now() - at > OLDEST) sessionStorage.removeItem(name);
  }
}

async function recover(field) {
  if (field.recovered || !who.key || !inputOf(field)) return; // a field may come later than the line under it
  field.recovered = true;
  const stored = sessionStorage.getItem(nameOf(field));
  if (!stored || field.touched) return;
  field.touched = true;
  const { iv, sealed } = JSON.parse(stored);
  let kept;
  try {
    kept = JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt({ name: "AES-GCM", iv: bytes(iv) }, who.key, bytes(sealed))));
  } catch {
    return sessionStorage.removeItem(nameOf(field)); // not of this person's key: nobody can read it
  }
  if (kept.text === field.saved) return forget(field);
  if (kept.base !== field.base) field.elsewhere = { body: field.saved, version: field.base, at: field.at };
  fill(field, kept.text);
  field.back = true;
  if (!field.elsewhere) save(field);
  show(field);
}

// ---- Into the field, as if it had been typed: the page is told, and not drawn again

function fill(field, words) {
  const input = inputOf(field);
  if (!input) return;
  const kind = input instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
  Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(input, words);
  input.dispatchEvent(new Event("input", { bubbles: true }));
  setTimeout(() => hand(field));
}

function hand(field) {
  inputOf(field)?.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
}

// ---- What is said under the field

function show(field) {
  const { line } = field;
  if (!line?.isConnected) return;
  const said = sentences(field);
  if (line.dataset.said === said.map(String).join("|") && line.childElementCount) return;
  line.dataset.said = said.map(String).join("|");
  line.replaceChildren(...said.map((each) => (typeof each === "string" ? words("span", each) : press(field, each))));
  line.classList.toggle("ed-typed-bad", Boolean(field.elsewhere) || field.state === "fault");
}

class Choice {
  constructor(label, act, link = "") {
    Object.assign(this, { label, act, link });
  }
  toString() {
    return `[${this.label}]`;
  }
}

function sentences(field) {
  const count = length(field);
  if (field.elsewhere) {
    const { sent, at } = field.elsewhere;
    const told = sent ? `What stood here was used in another tab at ${at}. ` : `Changed in another tab at ${at}: `;
    const theirs = sent ? "Empty this field" : "Take over";
    return [told, new Choice(theirs, () => take(field)), new Choice("Keep what is here", () => insist(field))];
  }
  if (field.state === "fault") {
    const kept = field.kept ? " What you typed is kept in this tab." : " Leave this page open.";
    const back = `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;
    return [count, `Could not be saved: ${field.why.replace(/[.]$/, "")}.${kept}`, ...(field.out ? [new Choice("Sign in", null, back)] : [])];
  }
  if (field.state === "dirty") return [count, field.back ? "Not saved yet: back from this tab." : "Not saved yet."];
  return [count, field.at && field.saved ? `Saved ${field.at}.` : ""];
}

function length(field) {
  const input = inputOf(field);
  const value = input ? input.value : field.saved;
  const many = [...value.trim()].length;
  const seen = SEEN.test(value) ? [...value.replace(UNSEEN, "").trim()].length : 0;
  if (field.least && seen < field.least) return `${characters(seen)}, ${field.least - seen} more are needed.`;
  if (field.most && many > 0.9 * field.most) return `${many} of ${characters(field.most)}.`;
  return field.least ? `${characters(many)}.` : "";
}

function characters(many) {
  return many === 1 ? "1 character" : `${many} characters`;
}

function take(field) {
  const { body, version, at } = field.elsewhere;
  Object.assign(field, { saved: body, base: version, at, elsewhere: null, state: "", back: false });
  fill(field, body);
  forget(field);
  show(field);
}

function insist(field) {
  const { version } = field.elsewhere;
  Object.assign(field, { base: version, saved: field.elsewhere.body, elsewhere: null, state: "dirty" });
  save(field);
  show(field);
}

function press(field, choice) {
  const made = words(choice.link ? "a" : "button", choice.label);
  if (choice.link) made.href = choice.link;
  else {
    made.type = "button";
    made.addEventListener("click", choice.act);
  }
  return made;
}

function words(tag, said) {
  const made = document.createElement(tag);
  made.textContent = said;
  return made;
}

function text(coded) {
  return new TextDecoder().decode(bytes(coded));
}

function bytes(coded) {
  return Uint8Array.from(atob(coded), (each) => each.charCodeAt(0));
}

function coded(some) {
  return btoa(String.fromCharCode(...some));
}

// ---- Heard once for the whole page, whatever is drawn again in it

const saveAll = (last) => fields.forEach((field) => save(field, last));
document.addEventListener("input", typed, true);
document.addEventListener("focusout", (event) => {
  const field = event.isTrusted && fieldOf(event.target);
  if (field) save(field);
}, true);
// A finger may press a button without the field losing its focus: the page is told first what stands there.
document.addEventListener("pointerdown", (event) => {
  for (const field of fields.values()) {
    if (field.line?.isConnected && !event.target.closest?.(field.line.dataset.field) && field.touched) hand(field);
  }
}, true);
document.addEventListener("submit", () => saveAll(true), true);
document.addEventListener("visibilitychange", () => (document.hidden ? saveAll(true) : check()));
addEventListener("pagehide", () => saveAll(true));
addEventListener("focus", check);
others.addEventListener("message", (event) => {
  if (event.data.staff === who.staff && fields.has(event.data.place)) check();
});
new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
