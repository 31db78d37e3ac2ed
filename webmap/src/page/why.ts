/** Why the server did not do what was asked, in the language of the page. */
import { Refused, Unreachable } from "../city/api.ts";
import { DICTIONARY, type Lang, type Word, word } from "../words/i18n.ts";
import type { App } from "./app.ts";

/** A refusal that has a word of the page: by its cause, else by its code; null for one that has none. */
export function ownWord(error: unknown, prefix: string): Word | null {
  if (!(error instanceof Refused)) return null;
  const { cause, code } = error.told;
  const names = [cause, code].filter((each) => each !== undefined).map((each) => `${prefix}_${each}`);
  return (names.find((name) => name in DICTIONARY.zh) as Word | undefined) ?? null;
}

/** What went wrong as a sentence; of what has no word of its own the status, and what the server said. */
export const why = (app: App, error: unknown): string => whyIn(app.store.get().lang, error);

/** The same before there is a page. */
export function whyIn(lang: Lang, error: unknown): string {
  if (error instanceof Unreachable) return word(lang, "unreachable");
  if (!(error instanceof Refused))
    return word(lang, "failed", { why: error instanceof Error ? error.message : String(error) });
  const { facts, reference = "" } = error.told;
  const own = ownWord(error, "why");
  if (own === null) return word(lang, "whyOther", { status: error.status, said: error.message });
  return word(lang, own, { ...facts, reference });
}
