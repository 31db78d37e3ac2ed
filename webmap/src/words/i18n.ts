/** The words of the pages in Chinese and English, a file for each part; a word that one language lacks is a type error. */
import * as callbacks from "./callbacks.ts";
import * as card from "./card.ts";
import * as care from "./care.ts";
import * as cases from "./cases.ts";
import * as channels from "./channels.ts";
import * as data from "./data.ts";
import * as desk from "./desk.ts";
import * as exchange from "./exchange.ts";
import * as exercise from "./exercise.ts";
import * as grid from "./grid.ts";
import * as looks from "./looks.ts";
import * as needs from "./needs.ts";
import * as notices from "./notices.ts";
import * as panels from "./panels.ts";
import * as people from "./people.ts";
import * as plan from "./plan.ts";
import * as report from "./report.ts";
import * as tools from "./tools.ts";
import * as video from "./video.ts";
import * as wall from "./wall.ts";
import * as why from "./why.ts";

export const LANGS = ["zh", "en"] as const;
export type Lang = (typeof LANGS)[number];
export type Title = Record<Lang, string>;

const zh = {
  ...desk.zh,
  ...looks.zh,
  ...card.zh,
  ...tools.zh,
  ...video.zh,
  ...panels.zh,
  ...wall.zh,
  ...plan.zh,
  ...data.zh,
  ...people.zh,
  ...notices.zh,
  ...channels.zh,
  ...cases.zh,
  ...callbacks.zh,
  ...report.zh,
  ...why.zh,
  ...grid.zh,
  ...exchange.zh,
  ...exercise.zh,
  ...care.zh,
  ...needs.zh,
};
const en = {
  ...desk.en,
  ...looks.en,
  ...card.en,
  ...tools.en,
  ...video.en,
  ...panels.en,
  ...wall.en,
  ...plan.en,
  ...data.en,
  ...people.en,
  ...notices.en,
  ...channels.en,
  ...cases.en,
  ...callbacks.en,
  ...report.en,
  ...why.en,
  ...grid.en,
  ...exchange.en,
  ...exercise.en,
  ...care.en,
  ...needs.en,
};

export type Word = keyof typeof zh;

/** The parts, for the test that none takes a word of another. */
export const PARTS = {
  ...{ desk, looks, card, tools, video, panels, wall, plan, data, people, cases, callbacks, why, grid },
  ...{ exchange, exercise, notices, channels, report, care, needs },
};

export const DICTIONARY: Record<Lang, Record<Word, string>> = { zh, en };

/** Chinese units and measure words as English readers expect them; others stay as they are. */
const UNITS_EN: Record<string, string> = { 人: "people", 户: "households", 个: "", 条: "", 层: "", 台: "" };

/** A word of the page, with `{placeholders}` filled in. */
export function word(lang: Lang, name: Word, values: Record<string, string | number> = {}): string {
  return DICTIONARY[lang][name].replace(/\{(\w+)\}/g, (_, key: string) => String(values[key] ?? ""));
}

export const unitWord = (lang: Lang, unit: string): string => (lang === "en" ? (UNITS_EN[unit] ?? unit) : unit);
