/** The matters that residents may choose, found by what people call them. */
import type { Service } from "../city/residents.ts";
import type { Title } from "../words/i18n.ts";

export interface Matter extends Title {
  code: string;
  /** What else people say for it. */
  also: string;
}

const MOST_FOUND = 20;

export const mattersOf = (services: readonly Service[]): Matter[] =>
  services.map(({ service_code, service_name, description, keywords }) => ({
    code: service_code,
    zh: service_name,
    en: description,
    also: keywords,
  }));

/** Those whose name, or what people say for them, holds every part of a text; the short names first. */
export function findMatters(matters: readonly Matter[], text: string): Matter[] {
  const parts = text.trim().toLowerCase().split(/\s+/).filter(Boolean);
  if (parts.length === 0) return [];
  return matters
    .filter(({ zh, en, also }) => {
      const name = `${zh} ${en} ${also}`.toLowerCase();
      return parts.every((part) => name.includes(part));
    })
    .sort((a, b) => a.zh.length - b.zh.length)
    .slice(0, MOST_FOUND);
}
