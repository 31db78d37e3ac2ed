"""What residents need and who can serve them, and the visits of workers, party members and volunteers."""
