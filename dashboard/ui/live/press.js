// A double click is one press, and a key that is held down presses once: the page is drawn again in between, and the
// second click would press whatever stands there by then. Who turns pages may click as fast as they like.

const ACTS = '[data-testid="stButton"] button:not([kind="tertiary"])';
const TURNS = '[class*="-turns"]'; // a container of buttons that go on by one

export default function () {
  if (window.escrowDeskPress) return;
  window.escrowDeskPress = true;
  const once = (event) => {
    const again = event.type === "click" ? event.detail > 1 : event.repeat && ["Enter", " "].includes(event.key);
    if (!again || !event.target.closest?.(ACTS) || event.target.closest(TURNS)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  for (const kind of ["click", "keydown"]) window.addEventListener(kind, once, true);
}
