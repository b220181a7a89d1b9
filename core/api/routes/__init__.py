"""The operations of the API, one router a noun."""
