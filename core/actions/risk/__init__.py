"""What blocks money: holds, reports, practice flags and risk reviews."""
