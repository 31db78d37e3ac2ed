"""The hotline 12345: lines as channels, from words to a case, answers to questions, calling back."""
