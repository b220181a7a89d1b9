// One step of a person is one entry of the browser's history. Streamlit makes two when a page is left for another: the
// old page with the new parameters, then the new page; Back would land on the first, which is no view of anything.
// So between two touches of a person only the first change of the address is an entry; what follows takes its place.

let touched = true;

export default function () {
  if (history.escrowDesk) return;
  history.escrowDesk = true;
  const push = history.pushState.bind(history);
  history.pushState = (state, title, url) => {
    if (touched) push(state, title, url);
    else history.replaceState(state, title, url);
    touched = false;
  };
  const touch = () => (touched = true);
  for (const kind of ["pointerdown", "keydown", "click"]) window.addEventListener(kind, touch, true);
  window.addEventListener("popstate", () => (touched = false), true);
}
