"""The history of another dispatch system: its calls as cases, the times of its units as steps."""
