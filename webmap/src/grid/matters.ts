/** The book of matters: found by name or code, the worker's own ones first. */
import type { Title } from "../words/i18n.ts";

export type Book = Readonly<Record<string, Title>>;
/** How often the worker reported which matter. */
export type Often = Readonly<Record<string, number>>;

const MOST_FOUND = 30;
const MOST_OFTEN = 6;

/** The matters whose name holds every part of a text, or whose code begins with it; the frequent and the exact first. */
export function findMatters(book: Book, text: string, often: Often): string[] {
  const parts = text.trim().toLowerCase().split(/\s+/).filter(Boolean);
  if (parts.length === 0) return [];
  const found = Object.entries(book).filter(([code, { zh, en }]) => {
    const name = `${zh} ${en}`.toLowerCase();
    return parts.every((part) => name.includes(part) || code.startsWith(part));
  });
  const rank = ([code, { zh }]: [string, Title]): number =>
    (often[code] ?? 0) * 10 + (zh.startsWith(parts[0] ?? "") ? 5 : 0) - zh.length / 100;
  return found
    .sort((a, b) => rank(b) - rank(a))
    .slice(0, MOST_FOUND)
    .map(([code]) => code);
}

/** The matters that the worker reports most. */
export function favourites(book: Book, often: Often): string[] {
  return Object.entries(often)
    .filter(([code]) => code in book)
    .sort(([, a], [, b]) => b - a)
    .slice(0, MOST_OFTEN)
    .map(([code]) => code);
}
