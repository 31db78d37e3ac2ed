/** The words of the wall. */

export const zh = {};

export const en: Record<keyof typeof zh, string> = {};
