/** The words of the data clerk's page. */

export const zh = {};

export const en: Record<keyof typeof zh, string> = {};
