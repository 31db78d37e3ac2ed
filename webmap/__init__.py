"""The web map: TypeScript under `src`, and later the Python side that draws pages and pictures."""
