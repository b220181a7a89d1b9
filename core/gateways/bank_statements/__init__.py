"""Bank statements as files: what they are is recognised from their content, and one reader a format says what stands
in them, all in the same words (`parsed`). A reader keeps one line at a time, repairs nothing and guesses nothing.
"""
