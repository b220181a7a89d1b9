"""The kit that every page is built from. One module per kind of thing; nothing here knows a business rule.

A page reads in four beats: guard, read, show, act.

    from core.queries import disputes
    from core.rules.permissions import Permission
    from dashboard import navigation, request_context
    from dashboard.ui import header, tables

    request_context.require(Permission.READ_CASES)               # guard: our own page when it is missing
    with request_context.reading() as session:                   # read: never commits
        rows = disputes.queue(session, now=request_context.now())
    header.page("Cases", f"{len(rows)} open")                 # show
    tables.table(rows, [tables.opens("reference", "Case", page="case"),
                        tables.money("held", "Held"),
                        tables.status("status", "Status", axis="case"),
                        tables.due("due_at", "Due", now=request_context.now())], key="queue")

dashboard.request_context
    desk() -> Desk · now() -> datetime · person() -> SignedIn · actor() -> Actor
    reading() -> context manager of a Session · may(permission) -> bool · require(permission) -> Actor
    recently_confirmed() -> bool       re-authenticated within five minutes
dashboard.navigation
    go("case", id=17)                  switch page in this session (never a link that opens a new one)
    link("case", "Open D-17", id=17)   the same, as a link
    asked("id") -> int | None          a whole number from the address, or None

header     page(title, subtitle="", *, badges=(), back=None) -> container for the page's buttons, on the right
           section(title, note="") · say(sentence) shown once on top of the next page drawn
           badges are status.Pill; back is (page, label), the way up from a detail page
cards      kpis([Kpi(label, value, note="", tone=None, help=None)])   value: str | int | Money
           facts({"Held": money, "Payee": name, ...}, columns=4)   values: str | int | Money | datetime | Pill | None
           panel(key=None) -> bordered container · note(text) a quiet line
money      text(money) -> "$1,043.56" · signed(money) · tone(money) · sums([money]) -> "$1,200.00 · €80.00"
           split([(label, money, tone)], caption="") one bar that shows how a sum is divided
status     pill(axis, value) -> Pill(label, tone, icon, meaning) · show(pill) or show(axis, value) · row([pill, …])
           labels(axis) -> {value: label} for a filter · in_words("PARTIAL_WORK") -> "Partial work"
           axes: milestone payment case mark decision outcome settlement_proposal payout refund operation hold
           chargeback webhook notification reconciliation check project job · tones: good wait bad info quiet
deadlines   words(due, now) -> "in 4 hours" / "6 hours late" · tone(due, now) · show(label, due, now) a badge
           exact(at) -> "18 Nov 2026, 14:22 UTC" · ago(at, now) · span(timedelta)
tables     table(rows, columns, *, key, id="id", select=False | True | "always", window=None, total=None, cursor=None,
                 download=None, empty_state=None, height=None, name=None) -> id of the selected row | None
           rows: objects or mappings; columns: text mono money status(axis=) when due(now=) count flag opens(page=),
           leads(to=fn of the row giving (page, parameters) or None),
           all (name, label, width=, help=, value=fn of the row)
           window(key="page", depends=(filters…)) -> Window(.offset .size .page)   small tables, numbered pages
           cursor(key="before", size=50, depends=(), of="id") -> Cursor(.before .limit)   big tables: rows before `of`
           small(rows, columns)        a few rows, no grid
master_detail   side_by_side(key, ids, table, panel) a table, and what was picked in it beside it, in the address ·
           Listing(…).show(rows, cursor, find, panel) a list that pages by id · close(key) the panel is closed
filters    bar() -> container · search(placeholder, key="q") -> str · choice(label, {value: label}, key=)
           one_of(…) long lists · several(…) -> list · period(now, key=) -> (from, until) · toggle(label, key=)
           the key is the name in the address; the choice survives a reload and can be sent to a colleague
components mount("queue", key=, data={…}, triggers=("opened",)) -> what the triggers say in this run
           for what needs code in the browser (keys, zoom): live/NAME.js and .css, ours, served under the same policy;
           they get data and put it into the page as text
evidence   gallery(desk, actor, rows, key=, notes={id: […]}, may_mark=False) cards, a lens, two in step
timeline   timeline([Moment(at, title, who="", text=None, tone="quiet", facts={}, reference="")], now=)
           `text`, `who` and facts may come from outsiders: they are shown as they were written, never interpreted
charts     waterfall([(label, Money, "total" | "in" | "out")], key=) · bars(x, {name: values}, key=) ·
           lines(x, {name: values}, key=, filled=False)   plotly, imported when the first one is drawn
empty      state(title, what_next, icon="inbox") · nothing_matches()
confirm    pressed(label, *, key, money=False, …) -> intent key | None     survives double clicks; money asks step-up
           carry_out(intent, action, *, done, then=None)   action(session, actor, now) in one transaction; a refusal is
           shown; afterwards the drawer closes, `done` (text, or function of the result) is said; the page is redrawn
           step_up(key) -> bool        inline "Confirm your identity"; True once confirmed within five minutes
           on_click=open_drawer, args=("decide",), kwargs={"id": 17} · drawer("decide") -> {"id": 17} | None

               @st.dialog("Record decision", position="right", width="large", on_dismiss=confirm.close_drawer)
               def decide(id): ...     with `if intent := confirm.pressed(…, money=True): confirm.carry_out(intent, …)`
               if facts := confirm.drawer("decide"):
                   decide(**facts)
errors     show(DeskError) · reasons([…], title=)      the domain's sentences
safe       plain(text) for st.markdown, labels, titles: nothing in it is interpreted · html(text) for HTML of our own.
           Words of outsiders otherwise only through st.text, st.code(x, language=None, wrap_lines=True), table cells.
"""
