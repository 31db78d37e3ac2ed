"""HTTP and nothing else: parse, ask `layers`, answer."""
