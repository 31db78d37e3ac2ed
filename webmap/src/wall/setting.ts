/** What the address of a wall says: how big the screen is, from how far it is read, what it shows and for how long. */
import { LANGS, type Lang } from "../words/i18n.ts";

export interface Setting {
  /** Diagonal of the whole wall. */
  inches: number;
  /** Metres from which it is read. */
  far_m: number;
  /** The topics to show, in this order; null: all that name a wall. */
  topics: readonly string[] | null;
  /** How long each topic stays; null: as the topic says. */
  seconds: number | null;
  /** How long a critical event is shown. */
  follow_s: number;
  lang: Lang;
}

const DEFAULTS: Setting = { inches: 55, far_m: 6, topics: null, seconds: null, follow_s: 20, lang: "zh" };

/** The setting that `?inches=55&far=6&topics=a,b&seconds=30&follow=20&lang=zh` stands for. */
export function settingFrom(query: string): Setting {
  const given = new URLSearchParams(query);
  const within = (name: string, low: number, high: number): number | null => {
    const value = Number.parseFloat(given.get(name) ?? "");
    return value >= low && value <= high ? value : null;
  };
  const topics = given.get("topics")?.split(",").filter(Boolean) ?? [];
  return {
    inches: within("inches", 5, 2000) ?? DEFAULTS.inches,
    far_m: within("far", 0.3, 100) ?? DEFAULTS.far_m,
    topics: topics.length > 0 ? topics : null,
    seconds: within("seconds", 5, 3600),
    follow_s: within("follow", 3, 600) ?? DEFAULTS.follow_s,
    lang: LANGS.find((lang) => lang === given.get("lang")) ?? DEFAULTS.lang,
  };
}

/** A token in the fragment, to be kept for this tab and taken out of the address. */
export const tokenFrom = (fragment: string): string | null =>
  new URLSearchParams(fragment.replace(/^#/, "")).get("token");
