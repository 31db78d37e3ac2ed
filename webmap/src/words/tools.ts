/** The words of measuring, drawing, sharing, printing and the time slider. */

export const zh = {};

export const en: Record<keyof typeof zh, string> = {};
