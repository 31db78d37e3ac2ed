/** What a caller's words came to: title, matter, place, department, the same told before, and answers; each correctable. */
import { responsible } from "../city/departments.ts";
import type { Answer, Draft, FoundPlace, Guess } from "../city/hotline.ts";
import { type Duplicate, duplicates } from "../city/incidents.ts";
import { fill, h } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { age } from "../words/format.ts";
import type { Word } from "../words/i18n.ts";
import { type Bench, button, codeWord } from "./bench.ts";
import { matterChoice } from "./choosing.ts";
import { duplicateWords } from "./duplicates.ts";
import type { Choosing } from "./intake.ts";

type Set = (patch: Partial<Choosing>) => void;

export function draftView(bench: Bench, draft: Draft, chosen: Choosing, set: Set): HTMLElement {
  const { app } = bench;
  const title = h("input", { id: "intake-name-of-case", value: chosen.title, maxLength: 100, autocomplete: "off" });
  title.oninput = () => set({ title: title.value.trim() });
  return h(
    "div",
    {},
    h("div", { class: "field" }, h("label", { htmlFor: "intake-name-of-case" }, app.t("intakeCaseTitle")), title),
    matters(bench, draft, chosen, set),
    places(bench, draft.places, chosen, set),
    draft.earlier.length > 0 && earlier(bench, draft),
    draft.answers.length > 0 && answers(bench, draft.answers),
  );
}

function matters(bench: Bench, draft: Draft, chosen: Choosing, set: Set): HTMLElement {
  const { app } = bench;
  const radios = draft.matters.map((guess) =>
    option("matter", guess.matter === chosen.matter, guessWords(bench, guess), () => set({ matter: guess.matter })),
  );
  const guessed = draft.matters.some(({ matter }) => matter === chosen.matter);
  const other = matterChoice(bench, "intake-other-matter", guessed ? "" : chosen.matter, (matter) => {
    if (matter === "") return;
    for (const radio of box.querySelectorAll<HTMLInputElement>("input[type=radio]")) radio.checked = false;
    set({ matter });
  });
  const doubt = draft.model === null ? "intakeUntrained" : draft.unsure ? "intakeUnsure" : null;
  const box = h(
    "fieldset",
    { class: "guesses" },
    h("legend", {}, app.t("intakeMatter")),
    doubt !== null && h("p", { class: "unsure" }, app.t(doubt)),
    ...radios,
    h("div", { class: "other" }, h("label", { htmlFor: "intake-other-matter" }, app.t("caseOtherMatter")), other),
  );
  return box;
}

function guessWords({ app }: Bench, guess: Guess): HTMLElement {
  const bar = h("span", { class: "bar", aria: { hidden: "true" } });
  bar.style.setProperty("--share", String(guess.confidence));
  const share = app.t("intakeSure", { n: guess.confidence < 0.01 ? "<1" : Math.round(guess.confidence * 100) });
  return h("span", { class: "guess" }, h("b", {}, app.title(guess)), bar, h("span", { class: "hint" }, share));
}

const placeHint = (found: readonly FoundPlace[], chosen: Choosing): Word =>
  found.length === 0 ? "intakeNoPlace" : chosen.place === null ? "intakeCoarse" : "intakePick";

function places(bench: Bench, found: readonly FoundPlace[], chosen: Choosing, set: Set): HTMLElement {
  const { app } = bench;
  const same = ({ lon, lat }: FoundPlace): boolean => chosen.place?.lon === lon && chosen.place.lat === lat;
  const radios = found.map((place, at) =>
    option(
      "place",
      same(place),
      h(
        "span",
        { class: "guess" },
        h("b", {}, `${at + 1} ${place.label}`),
        h("span", { class: "hint" }, app.t("intakeBy", { words: place.words })),
      ),
      () => set({ place }),
    ),
  );
  const own = chosen.place !== null && !found.some(same) ? chosen.place : null;
  return h(
    "fieldset",
    { class: "guesses" },
    h("legend", {}, app.t("intakePlace")),
    ...radios,
    own !== null &&
      option(
        "place",
        true,
        `${app.t("intakeOnMap")} ${own.label ?? `${own.lon.toFixed(5)}, ${own.lat.toFixed(5)}`}`,
        () => undefined,
      ),
    h("p", { class: "hint" }, app.t(placeHint(found, chosen))),
  );
}

function option(name: string, checked: boolean, words: HTMLElement | string, chosen: () => void): HTMLElement {
  const radio = h("input", { type: "radio", name: `intake-${name}`, checked });
  radio.onchange = chosen;
  return h("label", { class: "option" }, radio, words);
}

/** What follows of matter and place as they are chosen now: the department, and open cases that may be the same. */
export async function drawConsequences(
  bench: Bench,
  element: HTMLElement,
  { matter, place, title }: Choosing,
  { text, merge, signal }: { text: string; merge: (into: string | null) => void; signal: AbortSignal },
): Promise<void> {
  const { app } = bench;
  if (matter === "") return fill(element);
  const at = { admin_code: place?.admin_code ?? null, grid_id: place?.grid_id ?? null };
  const alike = place && { channel: "hotline", matter, lon: place.lon, lat: place.lat, title, description: text };
  const [who, same] = await Promise.allSettled([
    responsible({ matter, ...at }, signal),
    alike === null ? Promise.resolve({ duplicates: [] }) : duplicates(alike, signal),
  ]);
  if (signal.aborted) return;
  const department =
    who.status === "rejected"
      ? [h("p", { class: "hint" }, why(app, who.reason))]
      : [
          h("p", { class: "who" }, h("b", {}, app.title(who.value.lead.title))),
          h("ul", { class: "reasons" }, ...who.value.why.map((each) => h("li", {}, app.title(each)))),
        ];
  const found = same.status === "fulfilled" ? same.value.duplicates : [];
  fill(
    element,
    h("section", { class: "guess-department" }, h("h3", {}, app.t("caseResponsible")), ...department),
    found.length > 0 && alikeView(bench, found, merge),
  );
}

function alikeView(bench: Bench, found: readonly Duplicate[], merge: (into: string | null) => void): HTMLElement {
  const { app } = bench;
  const lines = found.map((each) => {
    const box = h("input", { type: "checkbox" });
    box.onchange = () => {
      for (const other of list.querySelectorAll<HTMLInputElement>("input")) if (other !== box) other.checked = false;
      merge(box.checked ? each.id : null);
    };
    return h("li", {}, duplicateWords(bench, each), h("label", { class: "option" }, box, app.t("intakeSame")));
  });
  const list = h("ul", {}, ...lines);
  return h("section", { class: "duplicates" }, h("h3", {}, app.t("caseDuplicates", { n: found.length })), list);
}

function earlier(bench: Bench, draft: Draft): HTMLElement {
  const { app } = bench;
  const { lang } = app.store.get();
  const lines = draft.earlier.map(({ id, title, state, reported_at }) =>
    h(
      "li",
      {},
      button(title, () => bench.go({ beside: { kind: "case", id } }), "link"),
      h("p", { class: "hint" }, [id, codeWord(bench, "state", state), age(lang, reported_at)].join(" · ")),
    ),
  );
  return h("section", { class: "duplicates" }, h("h3", {}, app.t("intakeEarlier")), h("ul", {}, ...lines));
}

function answers({ app }: Bench, found: readonly Answer[]): HTMLElement {
  const lines = found.map((each) => {
    const source = [each.source, each.number, each.dated].filter(Boolean).join(" ");
    return h(
      "details",
      {},
      h("summary", {}, each.question, each.synthetic && h("span", { class: "badge" }, app.t("synthetic"))),
      h("p", {}, each.answer),
      h("p", { class: "hint" }, app.t("intakeSource", { source })),
    );
  });
  return h("section", { class: "answers" }, h("h3", {}, app.t("intakeAnswers")), ...lines);
}
