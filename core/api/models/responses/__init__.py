"""What is read back, field by field: the shapes of the API's answers, as its description shows them.

Times are ISO 8601 in UTC, money whole minor units with its currency. What is one of several names is the enum of the
rules that decide it, so that a name which is added there is in the description at once.
"""
