/** A slider over the dates of a layer: what is drawn, counted and listed is of the chosen periods alone. */
import { span } from "../city/span.ts";
import type { CityMap } from "../map/map.ts";
import type { App } from "../page/app.ts";
import { withClause } from "../page/conditions.ts";
import { fill, h, icon } from "../page/dom.ts";
import { failure } from "../page/why.ts";
import { clauseOf, daysOf, endOf, indexOf, periodText, startOf, UNITS, type Unit, unitFor } from "./period.ts";
import { steps } from "./steps.ts";

interface Dated {
  layer: string;
  column: string;
  moment: boolean;
  text: string;
}

const STEP_MS = 900;
const UNIT_WORDS = { day: "timeDay", month: "timeMonth", year: "timeYear" } as const;

export function timeTool(app: App, cityMap: CityMap, body: HTMLElement): () => void {
  const { store } = app;
  let columns: Dated[] = [];
  let chosen: Dated | null = null;
  let reach: [string, string] | null = null;
  let unit: Unit = "month";
  let asking = new AbortController();

  const field = h("select", { aria: { label: app.t("timeOf") } });
  const step = h("select", { aria: { label: app.t("timeStep") } });
  const low = h("input", { type: "range", min: "0", aria: { label: app.t("timeFrom") } });
  const high = h("input", { type: "range", min: "0", aria: { label: app.t("timeTo") } });
  const said = h("output", { class: "period" });
  const play = h("button", { type: "button", class: "icon-button" });
  const all = h("button", { type: "button" }, app.t("timeAll"));
  const track = h("div", { class: "track" }, low, high);
  const note = h("p", { class: "hint" });

  const last = () => (reach === null ? 0 : indexOf(unit, reach[0], reach[1]));
  const at = (): [number, number] => [Math.min(+low.value, +high.value), Math.max(+low.value, +high.value)];
  const say = () => {
    if (reach === null) return;
    const [from, to] = at();
    const [first] = reach;
    const ends = [from, to].map((index) => periodText(unit, startOf(unit, first, index)));
    said.textContent = ends[0] === ends[1] ? (ends[0] ?? "") : ends.join(" – ");
    for (const [input, index] of [
      [low, +low.value],
      [high, +high.value],
    ] as const)
      input.setAttribute("aria-valuetext", periodText(unit, startOf(unit, first, index)));
    track.style.setProperty("--from", `${(100 * from) / Math.max(1, last())}%`);
    track.style.setProperty("--to", `${(100 * to) / Math.max(1, last())}%`);
  };
  const write = () => {
    say();
    if (chosen === null || reach === null) return;
    const { layer, column } = chosen;
    const [from, to] = at();
    const whole = from === 0 && to === last();
    const clause = whole ? null : clauseOf(chosen, startOf(unit, reach[0], from), endOf(unit, reach[0], to));
    const { conditions } = store.get();
    store.set({ conditions: { ...conditions, [layer]: withClause(conditions[layer], column, clause) } });
  };
  const paintPlay = () => {
    const label = app.t(playing.running() ? "timePause" : "timePlay");
    play.title = label;
    play.setAttribute("aria-label", label);
    fill(play, icon(playing.running() ? "pause" : "play"));
  };
  const playing = steps({
    step() {
      const [from, to] = at();
      if (to >= last()) return false;
      [low.value, high.value] = [String(from + 1), String(to + 1)];
      write();
      return true;
    },
    drawn: (then) => void cityMap.map.once("idle", then),
    changed: () => paintPlay(),
    pause_ms: STEP_MS,
  });
  const { stop } = playing;
  play.onclick = () => {
    if (playing.running()) return stop();
    const [from, to] = at();
    if (to >= last()) [low.value, high.value] = ["0", String(from === 0 ? 0 : to - from)];
    write();
    playing.start();
  };
  all.onclick = () => {
    stop();
    [low.value, high.value] = ["0", String(last())];
    write();
  };
  for (const input of [low, high]) {
    input.oninput = say;
    input.onchange = () => {
      stop();
      write();
    };
  }

  const place = () => {
    if (chosen === null || reach === null) return;
    low.max = high.max = String(last());
    const days = daysOf(store.get().conditions[chosen.layer]?.[chosen.column]);
    const clamped = (day: string | null, otherwise: number) =>
      day === null || reach === null ? otherwise : Math.max(0, Math.min(last(), indexOf(unit, reach[0], day)));
    low.value = String(clamped(days?.from ?? null, 0));
    high.value = String(clamped(days?.to ?? null, last()));
    say();
  };
  const choose = async (dated: Dated): Promise<void> => {
    stop();
    chosen = dated;
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    let why = app.t("timeEmpty");
    try {
      reach = await span(dated.layer, dated.column, signal);
    } catch (error) {
      if (signal.aborted) return;
      reach = null;
      why = failure(app, error);
    }
    note.textContent = reach === null ? why : "";
    for (const part of [track, play, all, said, step]) part.hidden = reach === null;
    if (reach === null) return;
    unit = unitFor(reach);
    step.value = unit;
    place();
  };
  step.onchange = () => {
    stop();
    unit = step.value as Unit;
    place();
  };
  field.onchange = () => {
    const dated = columns[field.selectedIndex];
    if (dated) void choose(dated);
  };
  const list = async (): Promise<void> => {
    const shown = store.get().layers.filter((name) => app.city.layer(name));
    const details = await Promise.all(shown.map((name) => app.city.detail(name)));
    columns = details.reverse().flatMap((layer) => {
      const named = (column: string, moment: boolean, title: string): Dated => ({
        layer: layer.name,
        column,
        moment,
        text: `${app.title(layer.title)} · ${title}`,
      });
      const dates = layer.fields
        .filter(({ kind, filter }) => filter && (kind === "date" || kind === "time"))
        .map((each) => named(each.name, each.kind === "time", app.title(each.title)));
      return [...dates, ...(layer.group === "base" ? [] : [named("changed_at", true, app.t("timeRecorded"))])];
    });
    // Dates that were recorded say more than when a row was last written.
    columns.sort((a, b) => Number(a.column === "changed_at") - Number(b.column === "changed_at"));
    const same = columns.find(({ layer, column }) => layer === chosen?.layer && column === chosen.column);
    const limited = columns.find(({ layer, column }) => daysOf(store.get().conditions[layer]?.[column]) !== null);
    const first = same ?? limited ?? columns[0];
    fill(field, ...columns.map((each) => h("option", { selected: each === first }, each.text)));
    note.textContent = columns.length === 0 ? app.t("timeNone") : "";
    if (first !== undefined && first !== chosen && same === undefined) await choose(first);
  };

  fill(step, ...UNITS.map((each) => h("option", { value: each }, app.t(UNIT_WORDS[each]))));
  fill(body, h("div", { class: "row" }, play, said, field, step, all), track, note);
  paintPlay();
  for (const part of [track, play, all, said, step]) part.hidden = true;
  void list().catch((error: unknown) => {
    note.textContent = failure(app, error);
  });
  const offs = [
    store.on(["layers"], () => void list().catch(() => undefined)),
    store.on(["conditions"], () => {
      if (!playing.running()) place();
    }),
  ];
  return () => {
    stop();
    asking.abort();
    for (const off of offs) off();
  };
}
