"""When a page of Streamlit has answered: every rerun that the browser asked for has begun, ended and been drawn.

Streamlit's own `data-test-script-state` says nothing between a click and the server's first word, so a small script
in the page listens to the socket. A request is the field `rerun_script` of a BackMsg; its run begins with the field
`new_session` of a ForwardMsg, and ends with `script_finished`, unless that says that another run follows at once.
"""

from __future__ import annotations

from playwright.sync_api import Page
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg


def _field(message: type[BackMsg] | type[ForwardMsg], name: str) -> int:
    return int(message.DESCRIPTOR.fields_by_name[name].number)


NUMBERS = f"""
(() => {{
  const RERUN = {_field(BackMsg, "rerun_script")}, BEGUN = {_field(ForwardMsg, "new_session")};
  const FINISHED = {_field(ForwardMsg, "script_finished")};
  const ANOTHER_FOLLOWS = {ForwardMsg.FINISHED_EARLY_FOR_RERUN};
"""
LISTEN = (
    NUMBERS
    + """
  const run = (window.deskRun = { asked: false, begun: true });
  const fields = (bytes) => {
    let at = 0;
    const varint = () => {
      for (let value = 0, shift = 0; ; shift += 7) {
        const byte = bytes[at++];
        value += (byte & 127) * 2 ** shift;
        if (byte < 128) return value;
      }
    };
    const found = new Map();
    while (at < bytes.length) {
      const tag = varint(), value = varint();
      found.set(tag >> 3, value);
      if (tag & 7) at += value;
    }
    return found;
  };
  window.WebSocket = class extends window.WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => {
        if (!(data instanceof ArrayBuffer)) return;
        const said = fields(new Uint8Array(data));
        if (said.has(BEGUN)) run.begun = true;
        if (run.begun && said.has(FINISHED) && said.get(FINISHED) !== ANOTHER_FOLLOWS) run.asked = false;
      });
    }
    send(data) {
      if (data instanceof Uint8Array && fields(data).has(RERUN)) Object.assign(run, { asked: true, begun: false });
      super.send(data);
    }
  };
})()
"""
)
DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
RESTS = """
() => !window.deskRun?.asked
  && document.querySelector("[data-testid=stApp][data-test-script-state=notRunning]")
  && !document.querySelector("[data-testid=stSkeleton], [data-stale=true]")
"""


def listen(page: Page) -> None:
    """Before its first address."""
    page.add_init_script(LISTEN)


def settle(page: Page, *, patience: float) -> None:
    """What was clicked or typed has been sent, and everything that it caused is on the page. Milliseconds."""
    page.evaluate(DRAWN)
    page.wait_for_function(RESTS, timeout=patience)
    page.evaluate(DRAWN)
    page.wait_for_function(RESTS, timeout=patience)
