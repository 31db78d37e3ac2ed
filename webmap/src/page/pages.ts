/** The pages there are, and the way from one to another: language and palette come along. */
import { may } from "../city/session.ts";
import type { Word } from "../words/i18n.ts";
import type { App } from "./app.ts";
import { h } from "./dom.ts";

export const PAGES = {
  map: "/",
  cases: "/desk",
  grid: "/grid",
  plan: "/plan",
  data: "/data",
  wall: "/wall",
  people: "/people",
} as const;
export type PageName = keyof typeof PAGES;
const WORDS: Record<PageName, Word> = {
  map: "pageMap",
  cases: "pageCases",
  grid: "gridPage",
  plan: "pagePlan",
  data: "pageData",
  wall: "pageWall",
  people: "pagePeople",
};

/** Where the desk shows a case. */
export function caseLink(app: App, id: string): string {
  const { lang, palette } = app.store.get();
  return `${PAGES.cases}#case=${encodeURIComponent(id)}&lang=${lang}&palette=${palette}`;
}

const PERSONNEL = ["account.edit", "role.edit", "audit.read"];
/** Pages that are not for all, with the rights of which one will do: the phone is for those who walk the city. */
const RIGHTS: Partial<Record<PageName, readonly string[]>> = {
  grid: ["visit.write"],
  people: [...PERSONNEL, "channel.edit", "key.make"],
};

/** Links to all pages that are for whoever is here; the one that is open is marked and leads nowhere. */
export function pageLinks(app: App, here: PageName): HTMLElement {
  const links = (Object.keys(PAGES) as PageName[])
    .filter((name) => name === here || isFor(app, name))
    .map((name) =>
      name === here
        ? h("span", { aria: { current: "page" } }, app.t(wordOf(app, name)))
        : h("a", { href: addressOf(app, name) }, app.t(wordOf(app, name))),
    );
  return h("nav", { class: "pages", aria: { label: app.t("pages") } }, ...links);
}

/** To whom it is no page of people it is the one of keys and channels. */
const wordOf = (app: App, name: PageName): Word =>
  name === "people" && !PERSONNEL.some((right) => may(app.city.who, right)) ? "pageLinksOut" : WORDS[name];

const isFor = (app: App, name: PageName): boolean => RIGHTS[name]?.some((right) => may(app.city.who, right)) ?? true;

function addressOf(app: App, name: PageName): string {
  const { lang, palette } = app.store.get();
  if (name === "grid") return lang === "en" ? `${PAGES.grid}?lang=en` : PAGES.grid;
  return name === "wall" ? PAGES.wall : `${PAGES[name]}#lang=${lang}&palette=${palette}`;
}
