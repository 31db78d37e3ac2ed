/** Those who wait to be called back, as they stand under somebody's hand: nothing moves while one of them is called. */
import type { Due } from "../city/callbacks.ts";

/** What the server just told as the beginning of the list, laid over what is shown; the one who is called now stays. */
export function laidOver(
  shown: readonly Due[],
  told: readonly Due[],
  { wholly, now }: { wholly: boolean; now: number | null },
): Due[] {
  const news = new Map(told.map((one) => [one.caller, one]));
  const known = new Set(shown.map(({ caller }) => caller));
  // Of a list that goes on, only those among the first page can be missed there.
  const within = wholly ? shown.length : Math.min(told.length, shown.length);
  const kept = shown.filter(({ caller }, at) => news.has(caller) || caller === now || at >= within);
  return [...kept.map((one) => news.get(one.caller) ?? one), ...told.filter(({ caller }) => !known.has(caller))];
}

/** After a call: who was reached, or tried as often as the city wants, waits no more. */
export function called(
  shown: readonly Due[],
  caller: number,
  { reached, attempts }: { reached: boolean; attempts: number },
): Due[] {
  return shown.flatMap((one) => {
    if (one.caller !== caller) return [one];
    return reached || one.tries + 1 >= attempts ? [] : [{ ...one, tries: one.tries + 1 }];
  });
}

/** Whom to call after this one: the next below, or else the first who is left; null when nobody is. */
export function following(shown: readonly Due[], caller: number): number | null {
  const at = shown.findIndex((one) => one.caller === caller);
  const next = shown[at + 1] ?? shown.find((one) => one.caller !== caller);
  return next?.caller ?? null;
}
