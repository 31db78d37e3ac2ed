/** The rows of a queue as they stand under somebody's hand: what changes does so in its place, what is new waits. */
import type { Brief } from "../city/incidents.ts";

export interface Rows {
  /** In the order in which they are shown. */
  shown: readonly Brief[];
  /** Those that are shown and belong to the queue no more. */
  gone: ReadonlySet<string>;
  /** Those that have come since, and are not shown yet. */
  fresh: readonly Brief[];
  /** Where the next page begins. */
  next: string | null;
}
export const NO_ROWS: Rows = { shown: [], gone: new Set(), fresh: [], next: null };

/** What the server just told as the beginning of the queue, laid over what is shown; nothing moves. */
export function refreshed(rows: Rows, told: readonly Brief[], wholly: boolean): Rows {
  const news = new Map(told.map((brief) => [brief.id, brief]));
  const known = new Set(rows.shown.map(({ id }) => id));
  // Of a queue that goes on, only those among the first page can be missed there.
  const within = wholly ? rows.shown.length : Math.min(told.length, rows.shown.length);
  const gone = new Set(rows.gone);
  rows.shown.forEach(({ id }, at) => {
    if (news.has(id)) gone.delete(id);
    else if (at < within) gone.add(id);
  });
  return {
    ...rows,
    shown: rows.shown.map((brief) => news.get(brief.id) ?? brief),
    gone,
    fresh: told.filter(({ id }) => !known.has(id)),
  };
}

/** The first page, in its own order. */
export const begun = (told: readonly Brief[], next: string | null): Rows => ({ ...NO_ROWS, shown: told, next });

/** One more page below. */
export function continued(rows: Rows, told: readonly Brief[], next: string | null): Rows {
  const known = new Set(rows.shown.map(({ id }) => id));
  return { ...rows, shown: [...rows.shown, ...told.filter(({ id }) => !known.has(id))], next };
}

/** One case as it is now. */
export const replaced = (rows: Rows, brief: Brief): Rows => ({
  ...rows,
  shown: rows.shown.map((each) => (each.id === brief.id ? brief : each)),
});

/** The row that is so many further down (or up), and stops at the ends; null of no rows. */
export function neighbour(shown: readonly Brief[], id: string | null, by: number): string | null {
  const at = shown.findIndex((brief) => brief.id === id);
  const to = at < 0 ? (by > 0 ? 0 : shown.length - 1) : Math.min(shown.length - 1, Math.max(0, at + by));
  return shown[to]?.id ?? null;
}
