"""What blocks money: holds, reports, and manual reviews."""
