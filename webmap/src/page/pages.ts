/** The pages there are, and the way from one to another: language and palette come along. */
import type { Word } from "../words/i18n.ts";
import type { App } from "./app.ts";
import { h } from "./dom.ts";

export const PAGES = { map: "/", cases: "/desk", plan: "/plan", data: "/data", wall: "/wall" } as const;
export type PageName = keyof typeof PAGES;
const WORDS: Record<PageName, Word> = {
  map: "pageMap",
  cases: "pageCases",
  plan: "pagePlan",
  data: "pageData",
  wall: "pageWall",
};

/** Where the desk shows a case. */
export function caseLink(app: App, id: string): string {
  const { lang, palette } = app.store.get();
  return `${PAGES.cases}#case=${encodeURIComponent(id)}&lang=${lang}&palette=${palette}`;
}

/** Links to all pages; the one that is open is marked and leads nowhere. */
export function pageLinks(app: App, here: PageName): HTMLElement {
  const { lang, palette } = app.store.get();
  const links = (Object.keys(PAGES) as PageName[]).map((name) =>
    name === here
      ? h("span", { aria: { current: "page" } }, app.t(WORDS[name]))
      : h(
          "a",
          { href: name === "wall" ? PAGES.wall : `${PAGES[name]}#lang=${lang}&palette=${palette}` },
          app.t(WORDS[name]),
        ),
  );
  return h("nav", { class: "pages", aria: { label: app.t("pages") } }, ...links);
}
