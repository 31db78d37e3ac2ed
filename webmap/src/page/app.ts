/** What every part of the page is given: the store, the city, and words in the chosen language. */
import type { City } from "../city/city.ts";
import { type Title, type Word, word } from "../words/i18n.ts";
import { wearExercise } from "./exercise.ts";
import type { Store } from "./state.ts";

export interface App {
  store: Store;
  city: City;
  t(name: Word, values?: Record<string, string | number>): string;
  title(title: Title): string;
}

/** What the page is made with; in an exercise the page bears its mark from here on, whichever page it is. */
export function createApp(store: Store, city: City): App {
  const app: App = {
    store,
    city,
    t: (name, values) => word(store.get().lang, name, values),
    title: (title) => title[store.get().lang],
  };
  wearExercise(app);
  return app;
}

/** Phones and narrow windows: panels become sheets at the bottom. */
export const narrow = matchMedia("(max-width: 720px)");
export const coarse = matchMedia("(pointer: coarse)");
