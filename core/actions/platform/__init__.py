"""The platform's own money: cover of client funds, opening balances, what it takes and gives."""
