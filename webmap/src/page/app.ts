/** What every part of the page is given: the store, the city, and words in the chosen language. */
import type { City } from "../city/city.ts";
import { type Title, type Word, word } from "../words/i18n.ts";
import type { Store } from "./state.ts";

export interface App {
  store: Store;
  city: City;
  t(name: Word, values?: Record<string, string | number>): string;
  title(title: Title): string;
}

export function createApp(store: Store, city: City): App {
  return {
    store,
    city,
    t: (name, values) => word(store.get().lang, name, values),
    title: (title) => title[store.get().lang],
  };
}

/** Phones and narrow windows: panels become sheets at the bottom. */
export const narrow = matchMedia("(max-width: 720px)");
export const coarse = matchMedia("(pointer: coarse)");
