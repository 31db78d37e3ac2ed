/** The words of the object card, its form and its cameras. */

export const zh = {};

export const en: Record<keyof typeof zh, string> = {};
