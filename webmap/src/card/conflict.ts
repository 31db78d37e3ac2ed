/** What two people changed in one record, side by side: what to take is chosen field by field. */
import type { Item, LayerDetail, Properties } from "../city/api.ts";
import { fieldTitle, present } from "../map/facts.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import { fact, moment } from "../words/format.ts";
import { type Sides, sameShape, sidesOf } from "./changes.ts";
import { reasonAgainst, type Value } from "./rules.ts";

const PLACE = "geometry"; // no field may be called so: its name has its meaning in GeoJSON

export interface Conflict {
  base: Item;
  theirs: Item;
  /** The values that I changed. */
  mine: Record<string, Value>;
  /** Whether I moved it. */
  moved: boolean;
}

/** What to go on with: the values of mine that stay, and whether my place does. */
export type Settled = (kept: Record<string, Value>, keepPlace: boolean) => void;

export function conflictPanel(app: App, layer: LayerDetail, conflict: Conflict, settled: Settled): HTMLElement {
  const { base, theirs, mine, moved } = conflict;
  const sides = sidesOf(base.properties, theirs.properties, mine as Properties);
  const lines = [...linesOf(app, layer, conflict, sides)];
  if (!sameShape(base.geometry, theirs.geometry)) lines.push(placeLine(app, moved));
  const chosenMine = (name: string) =>
    panel.querySelector<HTMLInputElement>(`input[name="choose-${name}"][value=mine]`)?.checked ?? false;
  const settle = (allTheirs: boolean) => {
    const contested = new Set(sides.both);
    const kept = Object.entries(mine).filter(([name]) => !contested.has(name) || (!allTheirs && chosenMine(name)));
    const theyMoved = !sameShape(base.geometry, theirs.geometry);
    settled(Object.fromEntries(kept), moved && (!theyMoved || (!allTheirs && chosenMine(PLACE))));
  };
  const { changedBy, changedAt } = theirs.context;
  const who = changedBy ?? app.t("someone");
  const panel = h(
    "section",
    { class: "conflict", role: "alert", tabIndex: -1 },
    h(
      "h3",
      {},
      app.t("conflictLine", { who, time: changedAt === null ? "" : moment(app.store.get().lang, changedAt) }),
    ),
    h("p", { class: "hint" }, app.t("conflictHint")),
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ...(["conflictField", "conflictTheirs", "conflictMine"] as const).map((name) => h("th", {}, app.t(name))),
        ),
      ),
      h("tbody", {}, ...lines),
    ),
    h(
      "footer",
      {},
      h("button", { type: "button", class: "primary", onclick: () => settle(false) }, app.t("conflictTake")),
      h("button", { type: "button", onclick: () => settle(true) }, app.t("conflictAllTheirs")),
    ),
  );
  return panel;
}

function linesOf(app: App, layer: LayerDetail, { base, theirs, mine }: Conflict, { both, theirs: onlyTheirs }: Sides) {
  const { lang } = app.store.get();
  const said = (name: string, value: unknown) => {
    const field = layer.fields.find((each) => each.name === name);
    if (!present(value)) return app.t("none");
    // What does not fit its field yet has no words either.
    if (!field || reasonAgainst(field, value as Value) !== null) return String(value);
    return fact(lang, layer, field, value as string);
  };
  const title = (name: string) => fieldTitle(app, layer.fields, name);
  return [
    ...both.map((name) =>
      choice(app, {
        name,
        title: title(name),
        theirs: said(name, theirs.properties[name]),
        mine: said(name, mine[name]),
      }),
    ),
    ...onlyTheirs.map((name) =>
      h(
        "tr",
        {},
        h("th", {}, title(name)),
        h("td", {}, said(name, theirs.properties[name])),
        h("td", { class: "was" }, h("s", {}, said(name, base.properties[name]))),
      ),
    ),
  ];
}

function placeLine(app: App, moved: boolean): HTMLElement {
  const title = app.t("yourPlace");
  if (moved) return choice(app, { name: PLACE, title, theirs: app.t("conflictTheirs"), mine: app.t("conflictMine") });
  return h("tr", {}, h("th", {}, title), h("td", {}, app.t("conflictTheirs")), h("td", {}, "–"));
}

function choice(app: App, line: { name: string; title: string; theirs: string; mine: string }): HTMLElement {
  const option = (side: "theirs" | "mine", text: string) =>
    h(
      "td",
      {},
      h(
        "label",
        {},
        h("input", {
          type: "radio",
          name: `choose-${line.name}`,
          value: side,
          checked: side === "mine",
          aria: { label: `${line.title}: ${app.t(side === "mine" ? "conflictMine" : "conflictTheirs")} ${text}` },
        }),
        text,
      ),
    );
  return h("tr", {}, h("th", {}, line.title), option("theirs", line.theirs), option("mine", line.mine));
}
