"""Balance sheet and income statement: of any day and period, beside another, each figure open to what it is made of."""

from __future__ import annotations

from core.queries import financial_reports
from core.queries.financial_reports import FinancialReportKind
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.finance import statements
from dashboard.ui import empty, filters, header, status

request_context.require(Permission.READ_LEDGER)
today = request_context.now().date()
with header.page(
    "Financial statements",
    "Balance sheet and income statement, by day of posting, UTC. A figure’s account opens what it is made of.",
):
    navigation.link("trial_balance", "Trial balance", icon=":material/account_balance:")
bar = filters.bar()
with bar:
    chosen = filters.choice(
        "Report", {"income": "Income statement"}, key="report", everything="Balance sheet"
    )
    period = statements.period(today)
    beside = filters.one_of("Compare with", statements.BESIDE, key="beside", width=175)
    zeros = filters.toggle("Zero balances", key="zeros")
kind = FinancialReportKind(chosen) if chosen else FinancialReportKind.BALANCE_SHEET
with request_context.reading() as session:
    found = financial_reports.reports(
        session, kind, period, compared=statements.compared_period(period, beside), zeros=zeros
    )
if not found:
    empty.state("Nothing was posted by then", "Choose a later day.", icon="account_balance")
    navigation.end()
currencies = [report.currency for report in found]
with bar:
    picked = filters.choice(
        "Currency", {each: each for each in currencies[1:]}, key="currency", everything=currencies[0]
    )
report = found[currencies.index(picked)] if picked in currencies else found[0]
header.section(f"{report.kind.heading}, {report.currency}", report.said)
status.show(statements.in_balance(report))
statements.show(report)
statements.files(report, zeros=zeros)
