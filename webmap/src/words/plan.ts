/** The words of the planner's workbench. */

export const zh = {};

export const en: Record<keyof typeof zh, string> = {};
