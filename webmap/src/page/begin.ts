/** How a page begins; one that could not begin says why, and begins again when it is told to. */
import { Refused, Unreachable } from "../city/api.ts";
import { type Lang, type Word, word } from "../words/i18n.ts";
import { h } from "./dom.ts";
import { installFonts } from "./fonts.ts";
import { signOut } from "./signin.ts";
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
  const { name, act } = wayOut(error, again);
  banner(lang, failureIn(lang, error), act, name);
}

/** What to press: a token that is no longer valid would keep the page from opening for ever, and is put away. */
export function wayOut(error: unknown, again: () => void): { name: Word; act: () => void } {
  const stale = error instanceof Refused && error.status === 401;
  return stale ? { name: "signOut", act: () => void signOut() } : { name: "retry", act: again };
}

/** One line across the top until it is dealt with; `act` is what the button does. */
export function banner(lang: Lang, text: string, act: () => void, name: Word = "retry"): void {
  const button = h("button", { type: "button" }, word(lang, name));
  const element = h("div", { class: "banner", role: "alert" }, h("p", {}, text), button);
  button.onclick = () => {
    element.remove();
    act();
  };
  document.querySelector(".banner")?.remove();
  document.body.append(element);
}
