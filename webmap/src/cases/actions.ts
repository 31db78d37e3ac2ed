/** What may be done with a case, as buttons; what may not be done now, with the reason. */
import type { Offer } from "../city/incidents.ts";
import { h, iconButton } from "../page/dom.ts";
import type { Bench } from "./bench.ts";
import { atOnce } from "./carried.ts";
import { STEP_KEYS } from "./keys.ts";

/** The steps that move a case on: the first of them that is allowed is what one came to do. */
const ONWARD: readonly string[] = [
  ...["accept", "verify", "register", "dispatch", "sign", "arrive", "dispose", "feedback", "check", "close"],
  ...["resume", "defer"],
];

export function actionsView(
  { app }: Bench,
  offers: readonly Offer[],
  press: (step: string, fill?: boolean) => void,
): HTMLElement {
  const allowed = offers.filter((offer) => offer.allowed);
  const refused = offers.filter((offer) => !offer.allowed);
  const first = ONWARD.find((step) => allowed.some((offer) => offer.step === step));
  const sorted = [...allowed].sort((a, b) => Number(b.step === first) - Number(a.step === first));
  const buttons = sorted.map((offer) => {
    const corrects = atOnce(offer) && offer.takes.includes("matter");
    const more =
      corrects &&
      iconButton("down", app.t("caseWith", { step: app.title(offer.title) }), () => press(offer.step, true));
    const key = STEP_KEYS[offer.step] ?? (offer.step === "note" ? "n" : undefined);
    const button = h(
      "button",
      {
        type: "button",
        class: offer.step === first ? "primary" : "outlined",
        data: { step: offer.step },
        onclick: () => press(offer.step),
      },
      app.title(offer.title),
      key !== undefined && h("kbd", {}, key.toUpperCase()),
    );
    return more ? h("span", { class: "split" }, button, more) : button;
  });
  const why = refused.map((offer) =>
    h("li", {}, h("b", {}, app.title(offer.title)), " ", offer.why === null ? "" : app.title(offer.why)),
  );
  return h(
    "section",
    { class: "actions", aria: { label: app.t("caseActions") } },
    h("div", { class: "buttons" }, ...buttons),
    why.length > 0 &&
      h("details", { class: "refused" }, h("summary", {}, app.t("caseNotNow", { n: why.length })), h("ul", {}, ...why)),
  );
}
