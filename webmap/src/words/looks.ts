/** The words of the layer panel: looks, filters, time. */

export const zh = {};

export const en: Record<keyof typeof zh, string> = {};
