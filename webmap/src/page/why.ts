/** Why the server did not do what was asked, in the language of the page. */
import { Refused, Unreachable } from "../city/api.ts";
import { DICTIONARY, type Word } from "../words/i18n.ts";
import { type App, reason } from "./app.ts";

/** A refusal that has a word of the page: by its cause, else by its code; null for one that has none. */
export function ownWord(error: unknown, prefix: string): Word | null {
  if (!(error instanceof Refused)) return null;
  const { cause, code } = error.told;
  const names = [cause, code].filter((each) => each !== undefined).map((each) => `${prefix}_${each}`);
  return (names.find((name) => name in DICTIONARY.zh) as Word | undefined) ?? null;
}

/** What went wrong as a sentence; of what has no word of its own the status, and what the server said. */
export function why(app: App, error: unknown): string {
  if (error instanceof Unreachable) return app.t("unreachable");
  const own = ownWord(error, "why");
  if (own !== null && error instanceof Refused)
    return app.t(own, { ...error.told.facts, reference: error.told.reference ?? "" });
  return error instanceof Refused
    ? app.t("whyOther", { status: error.status, said: reason(error) })
    : app.t("failed", { why: reason(error) });
}
