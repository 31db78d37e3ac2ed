/** What one is told: the list of notices, the marks of reading, and the call that something has come. */
import type { Title } from "../words/i18n.ts";
import { authorization, get, refusal, Unreachable } from "./api.ts";

export interface Notice {
  id: number;
  kind: string;
  incident: string | null;
  at: string;
  due_at: string | null;
  /** The exercise that it belongs to; null: it is real. */
  scenario: string | null;
  title: Title;
  text: Title;
  read: boolean;
}

export interface Inbox {
  notices: Notice[];
  next: number | null;
  /** Counted up to a hundred. */
  unread: number;
}

export const MOST_UNREAD = 100;
const MOST_MARKED = 200;
/** What a stream says when there may be notices that one has not read of. */
const CALLING: readonly string[] = ["hello", "reset", "notice"];

/** Told `called` whenever a stream of this page says that something came, or that something may have been missed. */
export const calls = new EventTarget();

export function heard(event: string): void {
  if (CALLING.includes(event)) calls.dispatchEvent(new Event("called"));
}

export const inbox = (unread = false): Promise<Inbox> =>
  get(unread ? `/notices?unread=true&limit=${MOST_MARKED}` : "/notices?limit=50");

export async function markRead(ids: readonly number[]): Promise<void> {
  let response: Response;
  try {
    response = await fetch("/notices/read", {
      method: "POST",
      headers: { "Content-Type": "application/json", ...authorization() },
      body: JSON.stringify({ ids: ids.slice(0, MOST_MARKED) }),
    });
  } catch (cause) {
    throw new Unreachable("/notices/read", { cause });
  }
  if (!response.ok) throw await refusal(response);
}
