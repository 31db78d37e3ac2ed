/** What the page does to be of use without a network: its own files, and the map of the worker's area. */

import { DICTIONARY } from "../words/i18n.ts";
import { type Area, isOld, keepArea } from "./area.ts";
import type { Ground } from "./ground.ts";
import type { Phone } from "./phone.ts";
import { prime } from "./register.ts";

/** How far that is. */
export interface Offline {
  works: boolean;
  area: Area | null;
  keeping: boolean;
  keepAgain(): void;
}

/** Begin it, once the map is drawn: what is on the screen comes first. */
export async function startOffline(
  phone: Phone,
  offline: Offline,
  { ground, registering }: { ground: Ground; registering: Promise<boolean> },
): Promise<void> {
  offline.keepAgain = () => void keep(phone, offline, ground, true);
  await ground.cityMap.ready;
  document.documentElement.dataset.map = "true";
  offline.works = await registering;
  if (!offline.works) return;
  await prime(charactersOf(phone));
  await keep(phone, offline, ground, false);
  document.documentElement.dataset.offline = "true";
}

/** Every character that the page may have to write: its own words, and those of the books. */
function charactersOf({ app, lang }: Phone): string {
  const books = Object.values(app.city.known("incident")?.books ?? {}).flatMap((book) => Object.values(book));
  const all = [...Object.values(DICTIONARY[lang]), ...books.map((title) => title[lang])].join("");
  return [...new Set(all)].join("");
}

/** Keep the map of the area where that is due; `now` says that somebody asked for it. */
async function keep(phone: Phone, offline: Offline, ground: Ground, now: boolean): Promise<void> {
  const { area } = offline;
  if (area === null || offline.keeping || !navigator.onLine) return;
  if (!now && !isOld(area, ground.templates(), Date.now())) return;
  offline.keeping = true;
  try {
    offline.area = await keepArea(phone.kept, area, ground.templates(), ground.cityMap.deepest);
  } catch {
    phone.say(phone.app.t("gridNotKept")); // it is tried again when the page is opened next
  } finally {
    offline.keeping = false;
  }
}
