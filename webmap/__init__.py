"""Everything that draws: the web map in TypeScript under `src`, and pages and notebooks in Python."""
