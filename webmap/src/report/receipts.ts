/** The receipts that this browser keeps: numbers and tickets of what somebody reported here, the newest first. */
import type { Key } from "../city/residents.ts";

export interface Kept extends Key {
  title: string;
  at: string;
}

const NAME = "chengtu.receipts";
const MOST = 30;
const NUMBER = /^\d{14}$/;
const TICKET = /^[0-9a-f]{64}$/;

export const isKey = ({ id, ticket }: Key): boolean => NUMBER.test(id) && TICKET.test(ticket);

/** What was kept, without what makes no sense. */
export function keptFrom(text: string | null): Kept[] {
  if (text === null) return [];
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return [];
  }
  if (!Array.isArray(found)) return [];
  const fits = (one: unknown): one is Kept => {
    const { id, ticket, title, at } = (one ?? {}) as Record<string, unknown>;
    return [id, ticket, title, at].every((each) => typeof each === "string") && isKey(one as Kept);
  };
  return found.filter(fits).slice(0, MOST);
}

export const withKept = (kept: readonly Kept[], one: Kept): Kept[] =>
  [one, ...kept.filter(({ id }) => id !== one.id)].slice(0, MOST);

/** The fragment of a receipt: what lies behind `#` is sent to no server, and stands in no log. */
export const fragmentOf = ({ id, ticket }: Key): string => `#receipt=${id}.${ticket}`;
export function keyFrom(fragment: string): Key | null {
  const [id = "", ticket = ""] = (new URLSearchParams(fragment.slice(1)).get("receipt") ?? "").split(".", 2);
  return isKey({ id, ticket }) ? { id, ticket } : null;
}

/** In this browser; one that lets nothing be kept (a private window) keeps nothing. */
export const receipts = {
  all(): Kept[] {
    try {
      return keptFrom(localStorage.getItem(NAME));
    } catch {
      return [];
    }
  },
  keep(one: Kept): void {
    try {
      localStorage.setItem(NAME, JSON.stringify(withKept(receipts.all(), one)));
    } catch {
      return; // the receipt is shown with its link all the same
    }
  },
  forget(id: string): void {
    try {
      localStorage.setItem(NAME, JSON.stringify(receipts.all().filter((one) => one.id !== id)));
    } catch {
      return;
    }
  },
};
