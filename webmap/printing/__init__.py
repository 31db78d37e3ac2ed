"""The map on paper: a style drawn by MapLibre Native in a process of its own, and the sheet around it as PDF or PNG."""
