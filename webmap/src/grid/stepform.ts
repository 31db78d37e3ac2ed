/** A step of a task: what it must carry is asked for, and then it is kept and sent. */
import type { Need, Offer } from "../city/incidents.ts";
import { newKey } from "../city/items.ts";
import { fill, h } from "../page/dom.ts";
import type { Word } from "../words/i18n.ts";
import { carriesOf, doable, type Filled, lacking } from "./offers.ts";
import type { Done } from "./outbox.ts";
import { done, type Phone, waitingOf } from "./phone.ts";
import { photoField, type Taken } from "./photos.ts";

const NEED_WORDS: Partial<Record<Need, Word>> = {
  note: "gridNote",
  photo: "gridPhotos",
  proof: "gridProof",
  reason: "gridReason",
  finding: "gridFinding",
  until: "gridUntil",
};
/** The form of one step; `closed` is told when it was kept or given up. */
export function stepForm(
  phone: Phone,
  offer: Offer,
  of: { id: string; seen: () => number | null; closed: () => void },
): HTMLElement {
  const { app, lang } = phone;
  if (!doable(offer))
    return sentence(app.t("gridStillNeeds", { step: offer.title[lang] }), app.t("gridCancel"), of.closed);
  const asked = new Set<Need>([...offer.needs, ...offer.takes]);
  const wrong = h("p", { class: "wrong", role: "alert" });
  const note = h("textarea", { id: "note", rows: 3, maxLength: 2000 });
  const reason = choice(
    "reason",
    app.t("gridChoose"),
    offer.reasons.map((each) => [each.code, each.title[lang]]),
  );
  const finding = choice(
    "finding",
    app.t("gridChoose"),
    offer.findings.map((each) => [each.code, each.title[lang]]),
  );
  const until = h("input", { id: "until", type: "datetime-local" });
  const photos = photoField(phone);
  const withNote = asked.has("note") || asked.has("proof");
  const filled = (): Filled => ({
    ...{ note: note.value, reason: reason.value, finding: finding.value, until: until.value },
    photos: photos.taken().length,
  });
  const submit = async (): Promise<void> => {
    const missing = lacking(offer, filled());
    wrong.textContent =
      missing.length === 0
        ? ""
        : app.t("gridLacks", { what: missing.map((need) => app.t(NEED_WORDS[need] ?? "gridNote")).join("、") });
    if (missing.length > 0) return;
    const kept = await done(phone, actsOf(phone, offer, of, filled(), photos.taken()));
    if (!kept) return;
    phone.say(app.t("gridQueuedStep", { title: offer.title[lang] }));
    of.closed();
  };
  return h(
    "form",
    {
      class: "step-form",
      onsubmit: (event: Event) => {
        event.preventDefault();
        void submit();
      },
      aria: { label: offer.title[lang] },
    },
    h("h2", {}, offer.title[lang]),
    ...(asked.has("finding") ? labelled(app.t("gridFinding"), finding) : []),
    ...(asked.has("reason") ? labelled(app.t("gridReason"), reason) : []),
    ...(asked.has("until") ? labelled(app.t("gridUntil"), until) : []),
    ...(withNote ? labelled(app.t(offer.needs.includes("note") ? "gridNote" : "gridNoteOptional"), note) : []),
    asked.has("photo") || asked.has("proof") ? photos.element : null,
    wrong,
    h(
      "footer",
      {},
      h("button", { type: "button", class: "outlined", onclick: of.closed }, app.t("gridCancel")),
      h("button", { type: "submit", class: "primary" }, app.t("gridDo")),
    ),
  );
}

/** The photos first, so that the step can name them; on top of what still waits, the phone knows no step to expect. */
function actsOf(
  phone: Phone,
  offer: Offer,
  { id, seen }: { id: string; seen: () => number | null },
  filled: Filled,
  taken: readonly Taken[],
): Done[] {
  const { lang, shift } = phone;
  const stacked = waitingOf(phone, id).some(({ doing }) => doing.kind !== "photo");
  const pictures: Done[] = taken.map(({ key, blob }) => ({
    ...{ of: id, key, title: offer.title[lang], doing: { kind: "photo", ofReport: false }, photo: blob },
  }));
  const carries = { ...carriesOf(offer, filled, shift.position()?.at ?? null) };
  return [
    ...pictures,
    {
      ...{ of: id, key: newKey(), title: offer.title[lang] },
      doing: {
        ...{ kind: "step", step: offer.step, carries, photos: taken.map(({ key }) => key) },
        expected: stacked ? null : seen(),
      },
    },
  ];
}

function choice(id: string, first: string, options: readonly (readonly [string, string])[]): HTMLSelectElement {
  const element = h("select", { id });
  fill(element, h("option", { value: "" }, first), ...options.map(([value, text]) => h("option", { value }, text)));
  return element;
}

const labelled = (text: string, input: HTMLElement): HTMLElement[] => [h("label", { htmlFor: input.id }, text), input];

function sentence(text: string, close: string, closed: () => void): HTMLElement {
  return h(
    "div",
    { class: "step-form" },
    h("p", {}, text),
    h("footer", {}, h("button", { type: "button", class: "outlined", onclick: closed }, close)),
  );
}
