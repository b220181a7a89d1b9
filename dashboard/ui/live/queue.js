// The queue: one row a case, gone through with the keyboard. Everything that people wrote arrives as data and is put
// into the page as text.

const at = new Map(); // which case is current in each list, kept while the page is drawn again

export default function (component) {
  const { parentElement, data, key, setTriggerValue } = component;
  const place = parentElement.querySelector("div") ?? parentElement;
  const rows = data.rows;
  const named = rows.findIndex((row) => row.id === at.get(key));
  let current = Math.max(0, named);

  const table = make("table", "ed-queue");
  table.setAttribute("aria-label", data.name);
  table.hidden = !rows.length;
  table.append(heading(data.columns), make("tbody"));
  const lines = rows.map((row, index) => line(row, index));
  table.tBodies[0].append(...lines);
  place.replaceChildren(table);
  settle(false);

  function line(row, index) {
    const tr = make("tr", row.mine ? "ed-mine" : "");
    tr.append(
      cell("ed-ref", opener(row)),
      cell("ed-two", words("b", row.payer), words("span", row.payee)),
      cell("ed-two", words("b", row.milestone), words("span", row.project)),
      cell("ed-two", words("b", row.platform), words("span", row.reason)),
      cell("ed-right", words("b", row.stake)),
      cell("ed-due", pill(row.due), words("span", row.exact)),
      cell("ed-two", pill(row.status), words("span", row.mediator)),
      cell("ed-marks", ...row.marks.map(pill)),
      cell("ed-right ed-news", row.news ? pill({ label: row.news, tone: "info", meaning: data.newsMeaning }) : ""),
      cell("ed-right ed-age", words("span", row.age)),
    );
    tr.addEventListener("click", () => open(row));
    tr.addEventListener("focusin", () => go(index, false));
    return tr;
  }

  function opener(row) {
    const button = words("button", row.reference);
    button.type = "button";
    button.setAttribute("aria-label", `Open ${row.reference}, ${row.payer} and ${row.payee}, ${row.due.label}`);
    button.addEventListener("click", (event) => {
      event.stopPropagation();
      open(row);
    });
    return button;
  }

  function open(row) {
    at.set(key, row.id);
    setTriggerValue("opened", row.id);
  }

  function go(index, focus = true) {
    current = Math.min(Math.max(index, 0), rows.length - 1);
    at.set(key, rows[current].id);
    settle(focus);
  }

  function settle(focus) {
    lines.forEach((each, index) => {
      each.toggleAttribute("data-current", index === current);
      each.querySelector("button").tabIndex = index === current ? 0 : -1;
    });
    if (focus) lines[current].querySelector("button").focus({ preventScroll: false });
  }

  const moves = {
    j: () => go(current + 1),
    ArrowDown: () => go(current + 1),
    k: () => go(current - 1),
    ArrowUp: () => go(current - 1),
    Home: () => go(0),
    End: () => go(rows.length - 1),
    Enter: () => open(rows[current]),
    o: () => open(rows[current]),
    "[": () => document.querySelector(".st-key-queue-before button")?.click(),
    "]": () => document.querySelector(".st-key-queue-after button")?.click(),
    "/": () => document.querySelector(data.search)?.focus(),
    "?": () => setTriggerValue("asked", "help"),
  };

  function press(event) {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable], [role=dialog], [role=listbox]");
    const covered = document.querySelector("[role=dialog]");
    if (typing || covered || event.ctrlKey || event.metaKey || event.altKey) return;
    const onOther = event.target.closest?.("button, a") && !table.contains(event.target);
    if (onOther && event.key === "Enter") return;
    const view = data.views[Number(event.key) - 1];
    const move = moves[event.key] ?? (view !== undefined && (() => setTriggerValue("asked", `view:${view}`)));
    if (!move || (!rows.length && !["/", "?", "[", "]"].includes(event.key) && view === undefined)) return;
    event.preventDefault();
    event.stopPropagation();
    move();
  }

  document.addEventListener("keydown", press, true);
  return () => document.removeEventListener("keydown", press, true);
}

function heading(columns) {
  const head = make("thead");
  const row = make("tr");
  columns.forEach(([label, right, help]) => {
    const th = words("th", label);
    th.scope = "col";
    if (right) th.className = "ed-right";
    if (help) th.title = help;
    row.append(th);
  });
  head.append(row);
  return head;
}

function cell(name, ...inside) {
  const td = make("td", name);
  td.append(...inside);
  return td;
}

function pill(what) {
  const made = words("i", what.label);
  made.className = `ed-pill ed-${what.tone}`;
  if (what.meaning) made.title = what.meaning;
  return made;
}

function words(tag, text) {
  const made = make(tag);
  made.textContent = text;
  if (tag === "b" || tag === "span") {
    made.title = text;
    made.dir = "auto";
  }
  return made;
}

function make(tag, name = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  return made;
}
