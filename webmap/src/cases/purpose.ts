/** Reading who somebody is in the clear: for a purpose that is chosen or written down, and that the server records. */
import { type Person, purposes } from "../city/callers.ts";
import { may } from "../city/session.ts";
import { fill, h } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { type Bench, button } from "./bench.ts";

export const PARTS = ["name", "phone", "home"] as const;
const LEAST = 4;
const MOST = 200;

export const personWords = (person: Partial<Record<(typeof PARTS)[number], string | null>>): string =>
  PARTS.map((part) => person[part])
    .filter(Boolean)
    .join(" · ");

interface Asked {
  /** Where who it is stands, masked until then. */
  person: HTMLElement;
  read(purpose: string): Promise<Person>;
}

let asked = 0;

/** Ask for the purpose in an element; what is read then stands in `person`. */
export function askPurpose(bench: Bench, element: HTMLElement, { person, read }: Asked): void {
  const { app } = bench;
  asked += 1;
  const id = `purpose-${asked}`;
  const input = h("input", { id, minLength: LEAST, maxLength: MOST, required: true, autocomplete: "off" });
  const wrong = h("p", { class: "wrong", role: "alert" });
  const offered = h("div", { class: "chips" });
  const tell = (purpose: string): void => {
    read(purpose).then(
      (told) => {
        person.textContent = personWords(told);
        fill(element);
      },
      (error: unknown) => {
        wrong.textContent = why(app, error);
      },
    );
  };
  if (may(app.city.who, "person.unmask"))
    purposes().then(
      (told) => fill(offered, ...told.purposes.map((each) => button(app.title(each), () => tell(each.code), "chip"))),
      (error: unknown) => {
        wrong.textContent = why(app, error);
      },
    );
  const form = h(
    "form",
    { class: "purpose" },
    h("p", { class: "hint" }, app.t("casePurposeWhy")),
    offered,
    h("label", { htmlFor: id }, app.t("casePurpose")),
    input,
    wrong,
    h(
      "footer",
      {},
      button(app.t("cancel"), () => fill(element)),
      h("button", { type: "submit", class: "primary" }, app.t("caseUnmask")),
    ),
  );
  form.onsubmit = (event) => {
    event.preventDefault();
    tell(input.value.trim());
  };
  fill(element, form);
  input.focus();
}
