// A picture to look at closely: zoom and move with mouse, buttons or keys; two lenses of one group move together.
// A mark is a part of the picture that somebody wrote a note about.

const groups = new Map(); // group → { together, view, lenses }
const MOST = 16;

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const place = parentElement.querySelector("div") ?? parentElement;
  const group = shared(data.group);
  const stage = make("div", "ed-stage");
  const sheet = make("div", "ed-sheet");
  const image = make("img");
  const scale = make("output", "ed-scale");
  let view = group.together && group.view ? { ...group.view } : (group.own.get(data.id) ?? { zoom: 1, x: 0.5, y: 0.5 });
  let drawing = null;
  let marking = false;

  image.src = data.src;
  image.alt = data.alt;
  image.draggable = false;
  stage.tabIndex = 0;
  stage.setAttribute("role", "group");
  stage.setAttribute("aria-label", `${data.alt}. Plus and minus zoom, arrows move, zero shows the whole.`);
  stage.style.aspectRatio = `${data.width} / ${data.height}`;
  sheet.append(image, ...data.marks.map(markOf));
  stage.append(sheet);

  const zoomOut = button("−", "Further away (−)", () => zoom(1 / 1.5));
  const zoomIn = button("+", "Closer (+)", () => zoom(1.5));
  const whole = button("Whole", "The whole picture (0)", () => to({ zoom: 1, x: 0.5, y: 0.5 }));
  const every = button("1:1", "Every pixel", () => to({ ...view, zoom: Math.max(1, data.width / fit().width) }));
  const bar = make("div", "ed-lens-bar");
  bar.append(zoomOut, scale, zoomIn, whole, every);
  const together = button("Sync views", "Zoom and pan both pictures together", () => {
    group.together = !group.together;
    if (group.together) share();
    group.lenses.forEach((each) => each.refresh());
  });
  if (data.pair) bar.append(together);
  const mark = button("Annotate", "Draw a frame around a part, and write a note about it", () => {
    marking = !marking;
    settle();
  });
  if (data.may_mark) bar.append(mark);
  place.replaceChildren(bar, stage);

  const me = {
    follow(other) {
      view = { ...other };
      settle();
    },
    refresh: settle,
  };
  group.lenses.add(me);

  function fit() {
    const room = stage.getBoundingClientRect();
    const ratio = Math.min(room.width / data.width, room.height / data.height) || 1;
    return { width: data.width * ratio, height: data.height * ratio, room };
  }

  function settle() {
    const { width, height, room } = fit();
    const wide = width * view.zoom;
    const high = height * view.zoom;
    view.x = within(view.x, room.width / wide);
    view.y = within(view.y, room.height / high);
    sheet.style.width = `${wide}px`;
    sheet.style.height = `${high}px`;
    sheet.style.transform = `translate(${room.width / 2 - view.x * wide}px, ${room.height / 2 - view.y * high}px)`;
    scale.textContent = `${Math.round((wide / data.width) * 100)} %`;
    group.own.set(data.id, { ...view });
    together.setAttribute("aria-pressed", String(group.together));
    mark.setAttribute("aria-pressed", String(marking));
    stage.classList.toggle("ed-marking", marking);
    stage.classList.toggle("ed-closer", view.zoom > 1);
  }

  function within(value, seen) {
    return seen >= 1 ? 0.5 : Math.min(1 - seen / 2, Math.max(seen / 2, value));
  }

  function to(next) {
    view = { ...next, zoom: Math.min(MOST, Math.max(1, next.zoom)) };
    settle();
    share();
  }

  function share() {
    group.view = { ...view };
    if (group.together) group.lenses.forEach((each) => each !== me && each.follow(view));
  }

  function zoom(by, at = null) {
    const next = Math.min(MOST, Math.max(1, view.zoom * by));
    if (!at) return to({ ...view, zoom: next });
    const kept = 1 - view.zoom / next;
    to({ zoom: next, x: view.x + (at.x - view.x) * kept, y: view.y + (at.y - view.y) * kept });
  }

  function point(event) {
    const box = sheet.getBoundingClientRect();
    const one = (value) => Math.min(1, Math.max(0, value));
    return { x: one((event.clientX - box.left) / box.width), y: one((event.clientY - box.top) / box.height) };
  }

  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== stage) return;
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, point(event));
  }, { passive: false });
  stage.addEventListener("dblclick", (event) => zoom(2, point(event)));
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    stage.setPointerCapture(event.pointerId);
    const start = point(event);
    drawing = { start, from: { ...view }, x: event.clientX, y: event.clientY, frame: null };
    if (marking) sheet.append((drawing.frame = make("div", "ed-frame")));
  });
  stage.addEventListener("pointermove", (event) => {
    if (!drawing) return;
    if (drawing.frame) {
      put(drawing.frame, area(drawing.start, point(event)));
      return;
    }
    const box = sheet.getBoundingClientRect();
    to({
      zoom: view.zoom,
      x: drawing.from.x - (event.clientX - drawing.x) / box.width,
      y: drawing.from.y - (event.clientY - drawing.y) / box.height,
    });
  });
  stage.addEventListener("pointerup", (event) => {
    const done = drawing;
    drawing = null;
    if (!done?.frame) return;
    const drawn = area(done.start, point(event));
    if (drawn[2] < 50 || drawn[3] < 50) {
      done.frame.remove();
      return;
    }
    marking = false;
    settle();
    setTriggerValue("marked", drawn);
  });
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = 0.1 / view.zoom;
    const moves = {
      "+": () => zoom(1.5),
      "=": () => zoom(1.5),
      "-": () => zoom(1 / 1.5),
      0: () => to({ zoom: 1, x: 0.5, y: 0.5 }),
      ArrowLeft: () => to({ ...view, x: view.x - step }),
      ArrowRight: () => to({ ...view, x: view.x + step }),
      ArrowUp: () => to({ ...view, y: view.y - step }),
      ArrowDown: () => to({ ...view, y: view.y + step }),
    };
    if (!moves[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    moves[event.key]();
  });

  const watch = new ResizeObserver(settle);
  watch.observe(stage);
  settle();
  return () => {
    watch.disconnect();
    group.lenses.delete(me);
  };
}

function shared(name) {
  if (!groups.has(name)) groups.set(name, { together: true, view: null, lenses: new Set(), own: new Map() });
  return groups.get(name);
}

function area(one, two) {
  const left = Math.min(one.x, two.x);
  const top = Math.min(one.y, two.y);
  const tenThousandths = (value) => Math.round(value * 10000);
  return [left, top, Math.abs(one.x - two.x), Math.abs(one.y - two.y)].map(tenThousandths);
}

function put(frame, [left, top, width, height]) {
  frame.style.left = `${left / 100}%`;
  frame.style.top = `${top / 100}%`;
  frame.style.width = `${width / 100}%`;
  frame.style.height = `${height / 100}%`;
}

function markOf(mark) {
  const frame = make("div", mark.draft ? "ed-frame ed-draft" : "ed-frame");
  const number = make("b");
  number.textContent = mark.number;
  frame.title = mark.note;
  frame.append(number);
  put(frame, mark.area);
  return frame;
}

function button(label, help, press) {
  const made = make("button", "ed-button");
  made.type = "button";
  made.textContent = label;
  made.title = help;
  made.setAttribute("aria-label", help);
  made.addEventListener("click", press);
  return made;
}

function make(tag, name = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  return made;
}
