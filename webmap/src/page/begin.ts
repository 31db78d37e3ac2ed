/** How a page begins; one that could not begin says why, and begins again when it is told to. */
import { Refused, Unreachable } from "../city/api.ts";
import { type Lang, word } from "../words/i18n.ts";
import { h } from "./dom.ts";
import { installFonts } from "./fonts.ts";
import { blank, fromFragment } from "./state.ts";
import { failureIn } from "./why.ts";

/** Told what kept the page from beginning; `again` begins anew. */
export type Unbegun = (root: HTMLElement, error: unknown, again: () => void) => void;

/** Begin a page by `start`, in the element `#app`; what no server is to blame for is thrown on. */
export function begin(start: (root: HTMLElement) => Promise<void>, unbegun: Unbegun = inBanner): void {
  const root = document.querySelector<HTMLElement>("#app");
  if (root === null) throw new TypeError("the page has no #app");
  const go = (): void => {
    start(root).catch((error: unknown) => {
      unbegun(root, error, go);
      if (!(error instanceof Unreachable || error instanceof Refused)) throw error;
    });
  };
  installFonts();
  go();
}

/** The language that the URL asks for, before there is a page. */
export const langOfUrl = (): Lang => fromFragment(location.hash, blank()).lang;

function inBanner(_: HTMLElement, error: unknown, again: () => void): void {
  const lang = langOfUrl();
  banner(lang, failureIn(lang, error), again);
}

/** One line across the top until it is dealt with; `retry` is what the button does. */
export function banner(lang: Lang, text: string, retry: () => void): void {
  const button = h("button", { type: "button" }, word(lang, "retry"));
  const element = h("div", { class: "banner", role: "alert" }, h("p", {}, text), button);
  button.onclick = () => {
    element.remove();
    retry();
  };
  document.querySelector(".banner")?.remove();
  document.body.append(element);
}
