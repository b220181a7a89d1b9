"""Bank statements: the platform's own bank accounts, what the bank says of them, and the import of its files."""

from __future__ import annotations

from core.errors import DeskError
from core.queries import bank_statements
from core.rules.bank_statements import StatementFormat
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.finance import bank_accounts, bank_statement_view, csv_mapping_form, figures, statement_import
from dashboard.ui import errors, filters, header, tables

request_context.require(Permission.READ_LEDGER)

if (wanted := navigation.asked()) is not None:
    figures.way_up("Bank statements")
    try:
        with request_context.reading() as session:
            shown = bank_statements.statement(session, wanted)
    except DeskError as missing:
        header.page("Bank statement")
        errors.show(missing)
        navigation.end()
    bank_statement_view.whole(shown)
    navigation.end()

with request_context.reading() as session:
    accounts = bank_statements.accounts(session)
header.page("Bank statements", "What the platform's own bank says of its accounts, line by line.")
bank_accounts.show(accounts)
names = (
    ["Statements", "Import", "Mappings"]
    if request_context.may(Permission.IMPORT_STATEMENTS)
    else ["Statements"]
)
opened = filters.tabs(names, key="bank-tab")
if opened[0].open:
    with opened[0]:
        with filters.bar():
            of = {each.code: f"{each.name} ({each.currency})" for each in accounts}
            account = filters.one_of("Every account", of, key="account")
            form = filters.one_of(
                "Every format", {each: each.words for each in StatementFormat}, key="format"
            )
        cursor = tables.cursor("before", size=50)
        with request_context.reading() as session:
            rows = bank_statements.statements(
                session, account=account, form=form, before=cursor.before, limit=cursor.limit
            )
        bank_statement_view.listed(rows, cursor, account=account, form=form)
elif opened[1].open:
    with opened[1]:
        statement_import.show(accounts)
        bank_accounts.change(accounts)
else:
    with opened[2]:
        csv_mapping_form.show()
