/** What may be done with a need, as buttons, and the small form of a step that must carry something. */
import type { Brought, Need, NeedOffer } from "../city/care.ts";
import { newKey } from "../city/items.ts";
import { fill, h } from "../page/dom.ts";
import { type Bench, button } from "./bench.ts";

const MOST_NOTE = 2000;
const MOST_CASE = 32;

/** The buttons of the steps that the server offers to whoever asks. */
export function needActions(
  { app }: Bench,
  { offers, state }: Pick<Need, "offers" | "state">,
  press: (offer: NeedOffer) => void,
): HTMLElement {
  const buttons = offers.map((offer) => {
    const words = offer.step === "arrange" ? app.t("careArrangeOther") : app.title(offer.title);
    const one = button(
      words,
      () => press(offer),
      offer.step === "done" && state === "arranged" ? "primary" : "outlined",
    );
    one.dataset.step = offer.step;
    return one;
  });
  const none = h("p", { class: "hint" }, app.t("needNothing"));
  return h(
    "section",
    { class: "actions", aria: { label: app.t("caseActions") } },
    buttons.length === 0 ? none : h("div", { class: "buttons" }, ...buttons),
  );
}

/** Draw the form of a step; `send` tells what went wrong, or null. */
export function needForm(
  element: HTMLElement,
  { app }: Bench,
  offer: NeedOffer,
  send: (brought: Brought, key: string) => Promise<string | null>,
): void {
  const wrong = h("p", { class: "wrong", role: "alert" });
  const id = "need-carries";
  const asksCase = offer.carries === "incident";
  const field = asksCase
    ? h("input", { id, required: true, maxLength: MOST_CASE, autocomplete: "off", inputMode: "numeric" })
    : h("textarea", { id, required: true, rows: 3, maxLength: MOST_NOTE });
  const [label, below] = asksCase
    ? [app.t("needCaseNumber"), app.t("needCaseHint")]
    : offer.carries === "provider"
      ? [app.t("needOtherwise"), app.t("needOtherwiseHint")]
      : [app.t("careNote"), ""];
  // One key for one filling in: pressed twice, it is taken once.
  let key = newKey();
  field.oninput = () => {
    key = newKey();
  };
  const submit = h("button", { type: "submit", class: "primary" }, app.title(offer.title));
  const form = h(
    "form",
    { aria: { label: app.title(offer.title) } },
    h("h3", {}, app.title(offer.title)),
    h(
      "div",
      { class: "field" },
      h("label", { htmlFor: id }, label),
      field,
      below !== "" && h("p", { class: "hint" }, below),
    ),
    wrong,
    h(
      "footer",
      {},
      button(app.t("cancel"), () => fill(element)),
      submit,
    ),
  );
  form.onsubmit = (event) => {
    event.preventDefault();
    const text = field.value.trim();
    wrong.textContent = text === "" ? app.t("careNoteNeeded") : "";
    if (text === "" || submit.disabled) return;
    submit.disabled = true;
    void send(asksCase ? { incident: text } : { note: text }, key).then((told) => {
      submit.disabled = false;
      wrong.textContent = told ?? "";
    });
  };
  fill(element, form);
  field.focus();
}
