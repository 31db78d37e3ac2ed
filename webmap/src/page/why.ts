/** Why the server did not do what was asked, in the language of the page. */
import { Refused, type Told, Unreachable } from "../city/api.ts";
import { number } from "../words/format.ts";
import { DICTIONARY, type Lang, type Word, word } from "../words/i18n.ts";
import type { App } from "./app.ts";

/** What a page refuses by itself: its message is a sentence in the language of the page. */
export class Said extends Error {}

/** A refusal that has a word of the page: by its cause, else by its code; null for one that has none. */
export function ownWord(error: unknown, prefix: string): Word | null {
  if (!(error instanceof Refused)) return null;
  const { cause, code } = error.told;
  const names = [cause, code].filter((each) => each !== undefined).map((each) => `${prefix}_${each}`);
  return (names.find((name) => name in DICTIONARY.zh) as Word | undefined) ?? null;
}

/** What went wrong as a sentence; of what has none of the page's, in the server's words, or else the status. */
export const why = (app: App, error: unknown): string => whyIn(app.store.get().lang, error);

/** The same before there is a page. */
export function whyIn(lang: Lang, error: unknown): string {
  if (error instanceof Unreachable) return word(lang, "unreachable");
  if (error instanceof Said) return error.message;
  if (!(error instanceof Refused))
    return word(lang, "whyBroken", { said: error instanceof Error ? error.message : String(error) });
  const { status, message, told } = error;
  const own = ownWord(error, "why");
  // The server's words for the cause say more than the page's for the kind of refusal.
  if (told.words !== undefined && own !== `why_${told.cause}`) return told.words[lang];
  return word(lang, own ?? "whyOther", { status, said: message, ...factsOf(lang, told) });
}

/** What could not be loaded, and why. */
export const failure = (app: App, error: unknown): string => failureIn(app.store.get().lang, error);

/** The same before there is a page. */
export const failureIn = (lang: Lang, error: unknown): string =>
  error instanceof Unreachable ? whyIn(lang, error) : word(lang, "failed", { why: whyIn(lang, error) });

/** What a refusal tells besides its sentence, to be filled into a word. */
export function factsOf(lang: Lang, told: Told): Record<string, string | number> {
  const { facts = {}, problems = {}, reference = "", line, column, about = "", parameter = "", place = "" } = told;
  const shown = Object.entries(facts).map(([name, fact]) => [
    name,
    typeof fact === "number" ? number(lang, fact) : fact,
  ]);
  const where = line === undefined || column === undefined ? "" : word(lang, "whyWhere", { line, column });
  const names = Object.keys(problems).join(lang === "zh" ? "、" : ", ");
  return { ...Object.fromEntries(shown), reference, where, about, parameter, place, names };
}
