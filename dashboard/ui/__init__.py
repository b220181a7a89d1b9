"""The kit that every page is built from. One module per kind of thing; nothing here knows a business rule.

A page reads in four beats: guard, read, show, act.

    from core.queries import disputes
    from core.rules.permissions import Permission
    from dashboard import current, navigation
    from dashboard.ui import header, tables

    current.require(Permission.READ_CASES)                       # guard: our own page when it is missing
    with current.reading() as session:                           # read: never commits
        rows = disputes.queue(session, now=current.now())
    header.page("Disputes", f"{len(rows)} open")                 # show
    tables.table(rows, [tables.opens("reference", "Case", page="case"),
                        tables.money("held", "Held"),
                        tables.status("status", "Status", axis="ticket"),
                        tables.due("due_at", "Due", now=current.now())], key="queue")

dashboard.current
    desk() -> Desk · now() -> datetime · person() -> SignedIn · actor() -> Actor
    reading() -> context manager of a Session · may(permission) -> bool · require(permission) -> Actor
    recently_confirmed() -> bool       re-authenticated within five minutes
dashboard.navigation
    go("case", id=17)                  switch page in this session (never a link that opens a new one)
    link("case", "Open D-17", id=17)   the same, as a link
    asked("id") -> int | None          a whole number from the address, or None

header     page(title, subtitle="", *, badges=(), back=None) -> container for the page's buttons, on the right
           section(title, note="")     badges are status.Pill
cards      kpis([Kpi(label, value, note="", tone=None, help=None, icon=None)])   value: str | int | Money
           facts({"Held": money, "Payee": name, ...}, columns=4)   values: str | int | Money | datetime | Pill | None
           panel(key=None) -> bordered container
money      text(money) -> "$1,043.56" · signed(money) -> "+$5.00" / "−$5.00" · tone(money)
           split([(label, money, tone)]) one bar that shows how a sum is divided
status     pill(axis, value) -> Pill(label, tone, icon, meaning) · show(pill or axis, value) · row([pill, …])
           axes: milestone payment ticket decision payout operation hold chargeback webhook job reconciliation
           tones: good wait bad info quiet
deadline   words(due, now) -> "in 4 hours" / "6 hours late" · tone(due, now) · show(label, due, now)
           exact(at) -> "18 Nov 2026, 14:22 UTC" · ago(at, now)
tables     table(rows, columns, *, key, select=False, window=None, total=None, cursor=None, download=None,
                 empty=None, height=None, name=None) -> id of the selected row | None   (rows: objects or mappings)
           columns: text mono money status when due count flag opens     (all: name, label, width=, help=, value=fn)
           window(key="page", size=50, depends=()) -> Window(.offset .size .page)   numbered pages, small tables
           cursor(key="before", size=50) -> Cursor(.before .size; ask for .size + 1 rows)   keyset, big tables
           small(rows, columns)        a few rows, no grid: plain text table
filters    bar() -> container · search(key="q") · choice(label, {value: label}, key=) · several(...) ·
           period(key=) -> (from, until) · toggle(label, key=)        all live in the address
timeline   timeline([Moment(at, title, who="", text=None, tone="quiet", facts={}, reference="")], now=)
           `text`, `who` and facts may come from outsiders; they are shown as they are written, never interpreted
charts     waterfall([(label, Money, "total"|"in"|"out")], key=) · bars(...) · lines(...)   plotly, imported when called
empty      state(title, what_next, icon=) · nothing_matches()
confirm    step_up() -> bool           inline "Confirm it is you"; True once confirmed within five minutes
           pressed(label, *, key, money=False, …) -> intent key | None     survives double clicks
           carry_out(intent, action, *, done) -> result | None   action(session) in one transaction, errors shown
           open_drawer(name, **facts) / drawer(name) -> facts | None / close_drawer(name)
errors     show(DeskError) · reasons([...])       the domain's sentences
safe       plain(text) -> text that markdown cannot interpret · html(text)
"""
