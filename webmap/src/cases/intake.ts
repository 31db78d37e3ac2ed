/** A call: the caller's words become a case with its place, its matter and its department, by one click. */
import { type LonLat, reverse } from "../city/api.ts";
import type { Draft, FoundPlace, Line } from "../city/hotline.ts";
import * as hotline from "../city/hotline.ts";
import { LEVELS, type Level, type Report } from "../city/incidents.ts";
import { newKey } from "../city/items.ts";
import { fill, h, iconButton } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { type Bench, button, codeWord } from "./bench.ts";
import { draftView, drawConsequences } from "./draft.ts";
import { file, sendOn } from "./filing.ts";

const LEAST = 4;
const LEAST_PHONE = 7;
const MOST_WORDS = 2000;
const TYPED_MS = 500;
const COARSE: readonly string[] = ["town", "county"];
const CALLED = "hotline";
/** What comes to a desk by people; machines and grid workers have ways of their own. */
const TOLD = "public";
const SOURCES = [CALLED, TOLD, "order", "proposal", "media", "warning"] as const;

export interface IntakeView {
  element: HTMLElement;
  open(): void;
  close(): void;
  /** Begin with words and a place that a resident told of elsewhere: their case is no call. */
  begin(words: string, place: LonLat): void;
  /** A place was picked on the map. */
  picked(place: LonLat): void;
}

export interface IntakeEars {
  propose(places: readonly LonLat[]): void;
  filed(id: string): void;
}

/** What the desk makes of a draft: the first guesses, until somebody corrects them. */
export interface Choosing {
  title: string;
  matter: string;
  place: Spot | null;
  into: string | null;
}
/** A place that words name, or that was picked on the map. */
type Spot = Pick<FoundPlace, "lon" | "lat"> & Partial<FoundPlace>;
const NOTHING: Choosing = { title: "", matter: "", place: null, into: null };

export function intakeView(bench: Bench, lines: readonly Line[], ears: IntakeEars): IntakeView {
  const { app } = bench;
  const element = h("section", { class: "intake", aria: { labelledby: "intake-title" } });
  let draft: Draft | null = null;
  let chosen = NOTHING;
  let asking = new AbortController();
  let typed = 0;
  let key = newKey();

  const text = h("textarea", { id: "intake-text", rows: 5, maxLength: MOST_WORDS });
  const source = h("select", { id: "intake-source" });
  const line = h("select", { id: "intake-line" });
  const level = h("select", { id: "intake-level" });
  const name = h("input", { id: "intake-name", autocomplete: "off", maxLength: 40 });
  const phone = h("input", { id: "intake-phone", type: "tel", autocomplete: "off", maxLength: 30 });
  const found = h("div", { class: "draft", aria: { live: "polite" } });
  const referred = h("p", { class: "unsure", role: "alert" });
  const consequences = h("div", { class: "consequences" });
  let following = new AbortController();
  const lacks = h("p", { class: "hint lacks" });
  const wrong = h("p", { class: "wrong", role: "alert" });
  const through = h("button", { type: "submit", class: "primary" });
  const only = button("", () => void go(false));

  // What somebody corrected stays, whatever the next words come to.
  const corrected = new Set<keyof Choosing>();
  let pending = false;
  /** The words that the draft was made of. */
  let understood = "";

  const set = (patch: Partial<Choosing>): void => {
    for (const name of Object.keys(patch)) corrected.add(name as keyof Choosing);
    chosen = { ...chosen, ...patch };
    key = newKey();
    judge();
    if (patch.place) ears.propose([[patch.place.lon, patch.place.lat]]);
    if (patch.matter !== undefined || patch.place !== undefined) follow();
  };
  const follow = (): void => {
    following.abort();
    following = new AbortController();
    chosen = { ...chosen, into: null };
    const { signal } = following;
    const merge = (into: string | null): void => set({ into });
    void drawConsequences(bench, consequences, chosen, { text: text.value.trim(), merge, signal });
  };
  const judge = (): void => {
    const missing = [
      text.value.trim().length < LEAST && app.t("intakeWords"),
      chosen.matter === "" && app.t("intakeMatter"),
      chosen.place === null && app.t("intakePlace"),
    ].filter((each) => each !== false);
    const what = missing.join(app.t("listComma"));
    lacks.textContent = pending ? app.t("intakePending") : what === "" ? "" : app.t("intakeLacks", { what });
    through.disabled = only.disabled = pending || missing.length > 0;
  };
  const drawDraft = (): void => {
    fill(found, draft !== null && draftView(bench, draft, chosen, set), draft !== null && consequences);
    judge();
  };
  const lineTold = (): { line?: string } => (source.value === CALLED && line.value !== "" ? { line: line.value } : {});
  const call = (words: string): hotline.Call => ({
    text: words,
    ...lineTold(),
    ...(phone.value.trim().length < LEAST_PHONE ? {} : { phone: phone.value.trim() }),
  });
  const ask = async (): Promise<void> => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    const words = text.value.trim();
    // Another number or line changes no guess: who clicks right after typing it is not to find the button shut.
    pending = words.length >= LEAST && words !== understood;
    judge();
    if (words.length < LEAST) return;
    found.setAttribute("aria-busy", "true");
    try {
      const told = await hotline.draft(call(words), signal);
      if (signal.aborted) return;
      draft = told;
      understood = words;
      const [first] = told.places;
      // Nobody finds a case in the middle of a county: whoever takes the call points to it, or chooses all the same.
      const place = first !== undefined && !COARSE.includes(first.precision) ? first : null;
      const guessed = { title: told.title, matter: told.matters[0]?.matter ?? "", place };
      const kept = Object.entries(chosen).filter(([name]) => corrected.has(name as keyof Choosing));
      chosen = { ...guessed, ...Object.fromEntries(kept), into: null };
      referred.textContent =
        told.line.kind === "referred" ? app.t("intakeReferred", { line: app.title(told.line.title) }) : "";
      wrong.textContent = "";
      ears.propose(told.places.map(({ lon, lat }) => [lon, lat]));
      drawDraft();
      follow();
    } catch (error) {
      if (!signal.aborted) wrong.textContent = why(app, error);
    } finally {
      if (!signal.aborted) {
        found.removeAttribute("aria-busy");
        pending = false;
        judge();
      }
    }
  };
  const report = (): Report => ({
    matter: chosen.matter,
    ...(chosen.title === "" ? {} : { title: chosen.title }),
    description: text.value.trim(),
    channel: source.value,
    level: level.value as Level,
    ...lineTold(),
    ...(draft === null ? {} : { appeal: draft.appeal.code }),
    ...(chosen.place === null ? {} : { lon: chosen.place.lon, lat: chosen.place.lat }),
    ...(chosen.place?.label === undefined ? {} : { address: chosen.place.label }),
    contact: {
      ...(name.value.trim() === "" ? {} : { name: name.value.trim() }),
      ...(phone.value.trim() === "" ? {} : { phone: phone.value.trim() }),
    },
  });
  /** Where somebody chose another matter than the classifier, it learns; a case is not held up by that. */
  const learn = (): void => {
    const guessed = draft?.matters[0]?.matter ?? null;
    const { matter } = chosen;
    if (draft === null || guessed === matter) return;
    hotline.correct({ text: text.value.trim(), matter, guessed, model: draft.model }).catch(() => undefined);
  };
  const go = async (on: boolean): Promise<void> => {
    if (through.disabled) return;
    asking.abort();
    found.removeAttribute("aria-busy");
    through.disabled = only.disabled = true;
    wrong.textContent = "";
    const { into } = chosen;
    try {
      const id = await file(report(), key);
      learn();
      const told = await sendOn(id, { on, into });
      bench.say(told === null ? app.t("intakeFiled", { id }) : app.t("intakeFiledUpTo", { id, why: app.title(told) }));
      clear();
      ears.filed(id);
    } catch (error) {
      wrong.textContent = why(app, error);
      judge();
    }
  };
  const clear = (): void => {
    asking.abort();
    following.abort();
    fill(consequences);
    referred.textContent = "";
    draft = null;
    pending = false;
    understood = "";
    corrected.clear();
    chosen = NOTHING;
    key = newKey();
    text.value = name.value = phone.value = "";
    level.value = "general";
    source.value = CALLED;
    byLine();
    fill(found);
  };
  text.oninput = () => {
    clearTimeout(typed);
    typed = window.setTimeout(() => void ask(), TYPED_MS);
    pending = text.value.trim().length >= LEAST;
    judge();
  };
  /** Only a call comes by a line. */
  const byLine = (): void => {
    line.disabled = source.value !== CALLED;
  };
  source.onchange = () => {
    byLine();
    key = newKey();
    void ask();
  };
  line.onchange = () => void ask();
  phone.onchange = () => void ask();
  const form = h("form", {});
  form.onsubmit = (event) => {
    event.preventDefault();
    void go(true);
  };
  form.onkeydown = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  };
  const field = (id: string, label: string, control: HTMLElement): HTMLElement =>
    h("div", { class: "field" }, h("label", { htmlFor: id }, label), control);
  const draw = (): void => {
    const [sourceNow, lineNow, levelNow] = [source.value || CALLED, line.value, level.value || "general"];
    fill(source, ...SOURCES.map((value) => h("option", { value }, codeWord(bench, "channel", value))));
    fill(
      line,
      h("option", { value: "" }, app.t("intakeNoLine")),
      ...lines.map(({ code, title }) => h("option", { value: code }, app.title(title))),
    );
    fill(level, ...[...LEVELS].reverse().map((value) => h("option", { value }, codeWord(bench, "level", value))));
    [source.value, line.value, level.value] = [sourceNow, lineNow, levelNow];
    byLine();
    text.placeholder = app.t("intakeHint");
    fill(through, app.t("intakeThrough"), h("kbd", {}, "Ctrl ↵"));
    only.textContent = app.t("intakeOnly");
    fill(
      form,
      field("intake-text", app.t("intakeText"), text),
      referred,
      found,
      h(
        "div",
        { class: "pairs" },
        field("intake-source", app.t("intakeChannel"), source),
        field("intake-line", app.t("intakeLine"), line),
        field("intake-name", app.t("intakeName"), name),
        field("intake-phone", app.t("intakePhone"), phone),
        field("intake-level", app.t("intakeLevel"), level),
      ),
      h("p", { class: "hint" }, app.t("intakeSealed")),
      wrong,
      h("footer", {}, lacks, only, through),
    );
    fill(
      element,
      h(
        "div",
        { class: "case-close" },
        iconButton("close", app.t("caseClose"), () => bench.go({ beside: null })),
      ),
      h("h2", { id: "intake-title" }, app.t("intakeTitle")),
      form,
    );
    drawDraft();
  };
  app.store.on(["lang"], () => element.childElementCount > 0 && draw());
  return {
    element,
    open() {
      draw();
      text.focus();
    },
    close() {
      asking.abort();
      ears.propose([]);
      fill(element);
    },
    begin(words, place) {
      clear();
      source.value = TOLD;
      byLine();
      text.value = words;
      picked(place);
      void ask();
    },
    picked,
  };

  function picked([lon, lat]: LonLat): void {
    const spot = { lon, lat };
    set({ place: spot });
    drawDraft();
    // Who is responsible follows from where it lies.
    reverse(lon, lat).then(
      ({ grid, town, county, address }) => {
        if (chosen.place !== spot) return;
        const areas = { grid_id: grid?.id ?? null, admin_code: town?.id ?? county?.id ?? null };
        set({ place: { ...spot, ...areas, ...(address === null ? {} : { label: address.text }) } });
        drawDraft();
      },
      (error: unknown) => {
        wrong.textContent = why(app, error);
      },
    );
  }
}
