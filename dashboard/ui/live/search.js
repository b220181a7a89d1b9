// The search begins in its field. Whoever types on at once after Ctrl-K loses nothing: what comes before the field is
// there is kept for it, and reaches no shortcut of the page. Up and Down go through what was found.

const FIELD = '[role="dialog"] .st-key-search-dialog input';
let waiting = null; // what was typed since Ctrl-K, until the field is there
let entered = false;
let since = 0;

export default function () {
  if (window.escrowDeskSearch) return;
  window.escrowDeskSearch = true;
  window.addEventListener("keydown", heard, true);
  new MutationObserver(arrived).observe(document.body, { childList: true, subtree: true });
}

function heard(event) {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    waiting = "";
    entered = false;
    since = event.timeStamp;
    return;
  }
  if (waiting !== null) keep(event);
  else if (event.key === "ArrowDown" || event.key === "ArrowUp") step(event, event.key === "ArrowDown" ? 1 : -1);
}

function keep(event) {
  // A search that does not open takes no keys away for long.
  if (event.timeStamp - since > 5000 || event.key === "Escape") {
    waiting = null;
    return;
  }
  if (event.key === "Enter") entered = true;
  else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey) waiting += event.key;
  else if (event.key === "Backspace") waiting = waiting.slice(0, -1);
  else return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

function arrived() {
  const field = document.querySelector(FIELD);
  if (!field || field.dataset.begun) return;
  field.dataset.begun = "yes";
  field.focus();
  if (waiting) {
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, waiting);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    if (entered) setTimeout(() => field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true })));
  }
  waiting = null;
}

function step(event, by) {
  const dialog = document.querySelector(FIELD)?.closest('[role="dialog"]');
  if (!dialog) return;
  const stops = [dialog.querySelector("input"), ...dialog.querySelectorAll('[data-testid="stPageLink"] a')];
  const next = stops[stops.indexOf(document.activeElement) + by];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
