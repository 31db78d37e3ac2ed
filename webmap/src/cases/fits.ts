/** Who can serve a need, and why, as the server tells it: the nearest first, with a button that arranges it. */
import { type CareWords, type Need, type Suggested, suggestedFor } from "../city/care.ts";
import { fill, h } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { type Bench, button } from "./bench.ts";
import { entryTitle } from "./entries.ts";

const MOST = 8;

interface Asked {
  words: CareWords | null;
  arrange(provider: string): void;
  signal: AbortSignal;
}

export function fitsView(bench: Bench, need: Need, { words, arrange, signal }: Asked): HTMLElement {
  const { app } = bench;
  const element = h("section", { class: "fits", aria: { busy: "true" } });
  const row = ({ provider, why: reasons }: Suggested): HTMLLIElement => {
    const now = provider.id === need.provider;
    const take = button(app.t("careArrange"), () => arrange(provider.id), now ? "outlined" : "primary");
    take.dataset.arrange = provider.id;
    take.setAttribute("aria-label", `${app.t("careArrange")} ${provider.name}`);
    return h(
      "li",
      { data: { provider: provider.id } },
      h(
        "div",
        {},
        h("b", {}, provider.name),
        h(
          "p",
          { class: "hint" },
          [entryTitle(bench, words?.sorts, provider.sort), provider.synthetic && app.t("careDemo")]
            .filter(Boolean)
            .join(" · "),
        ),
        h("p", { class: "hint reasons-line" }, reasons.map((reason) => app.title(reason)).join(app.t("caseSemicolon"))),
        provider.phone !== "" && h("p", { class: "hint" }, app.t("needPhone", { phone: provider.phone })),
      ),
      now ? h("span", { class: "hint" }, app.t("careProvider")) : take,
    );
  };
  suggestedFor(need, signal).then(
    ({ suggested, closed }) => {
      element.removeAttribute("aria-busy");
      fill(
        element,
        h("h3", {}, app.t("needFits", { n: suggested.length })),
        h("p", { class: "hint" }, app.t(suggested.length === 0 ? "careServingNone" : "needFitsWhy")),
        h("ul", {}, ...suggested.slice(0, MOST).map(row)),
        closed > 0 && h("p", { class: "hint" }, app.t("careClosedThen", { n: closed })),
      );
    },
    (error: unknown) => {
      if (!signal.aborted) fill(element, h("p", { class: "wrong" }, why(app, error)));
    },
  );
  return element;
}
