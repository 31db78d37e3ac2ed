/** One of several, as large buttons. */
import type { Entry } from "../city/care.ts";
import { fill, h, keepingFocus } from "../page/dom.ts";
import type { Lang } from "../words/i18n.ts";

export interface Chips {
  element: HTMLElement;
  value(): string | null;
  choose(code: string | null): void;
  /** What there is to choose from. */
  offer(groups: readonly { title: string; entries: readonly Entry[] }[]): void;
}

export function chips(
  lang: Lang,
  { name, label, changed }: { name: string; label: string; changed: () => void },
): Chips {
  const element = h("div", { class: "choice", role: "group", aria: { label } });
  let chosen: string | null = null;
  let offered: readonly { title: string; entries: readonly Entry[] }[] = [];
  const choose = (code: string | null): void => {
    chosen = code;
    keepingFocus(element, show);
    changed();
  };
  const button = ({ code, title }: Entry): HTMLElement => {
    const pressed = String(code === chosen);
    const data = { [name]: code, key: `${name}-${code}` };
    return h(
      "li",
      {},
      h("button", { type: "button", class: "chip", data, aria: { pressed }, onclick: () => choose(code) }, title[lang]),
    );
  };
  const show = (): void =>
    fill(
      element,
      h("p", { class: "label" }, label),
      ...offered.flatMap(({ title, entries }) => [
        ...(title === "" ? [] : [h("p", { class: "told group" }, title)]),
        h("ul", { class: "chips" }, ...entries.map(button)),
      ]),
    );
  return {
    element,
    value: () => chosen,
    choose,
    offer(groups) {
      offered = groups;
      keepingFocus(element, show);
    },
  };
}

/** What a code is called in one of the books. */
export const entryWord = (entries: readonly Entry[] | undefined, code: string, lang: Lang): string =>
  entries?.find((each) => each.code === code)?.title[lang] ?? code;
