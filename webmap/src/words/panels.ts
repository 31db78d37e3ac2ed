/** The words of topics, panels and figures. */

export const zh = {};

export const en: Record<keyof typeof zh, string> = {};
