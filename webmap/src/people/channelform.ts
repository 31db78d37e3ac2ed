/** The form of a channel: what each kind asks for; addresses and secrets are given, and never shown again. */
import * as city from "../city/channels.ts";
import { fill, h } from "../page/dom.ts";
import { ask, type Desk, hint, labelled } from "./common.ts";
import { CITY_DIGITS, choice, cityLevel } from "./reach.ts";
import type { Names } from "./scope.ts";

interface Known {
  names: Names;
  told: city.Channels;
}

const REACHES = ["city", "department", "area"] as const;
type Reach = (typeof REACHES)[number];

/** Of a new channel (`one` is null) or of one that is changed, whose kind stays; `kept` is given what came of it. */
export function channelForm(
  desk: Desk,
  { names, told }: Known,
  one: city.Channel | null,
  kept: (made: city.Channel & { secret?: string }) => Promise<void>,
): void {
  const { app } = desk;
  const title = h("input", {
    ...{ required: true, maxLength: 60, autocomplete: "off", value: one?.title ?? "" },
    placeholder: app.t("channelTitleHint"),
  });
  const kind = kindChoice(desk, told.kinds, one);
  const address = addressFields(desk, one);
  const reach = reachChoice(desk, names, one);
  const notices = noticeChoice(desk, told.notices, one);
  const draw = (): void => address.of(kind.value());
  kind.element.onchange = draw;
  draw();
  const parts = [
    labelled(app.t("channelTitle"), title),
    labelled(
      app.t("channelKind"),
      kind.element,
      one === null && told.kinds.length < city.KINDS.length ? app.t("channelSetUp") : undefined,
    ),
    address.element,
    reach.element,
    notices.element,
  ];
  const heading = one === null ? app.t("channelNew") : `${app.t("channelChange")} · ${one.title}`;
  ask(app, heading, parts, app.t(one === null ? "peopleMake" : "channelSave"), async () => {
    const wanted: city.Wanted = {
      title: title.value.trim(),
      ...reach.value(),
      kinds: notices.value(),
      ...address.value(kind.value()),
    };
    await kept(one === null ? await city.openChannel(kind.value(), wanted) : await city.changeChannel(one.id, wanted));
  });
}

function kindChoice({ app }: Desk, setUp: readonly city.Kind[], one: city.Channel | null) {
  const element = h("select", { required: true, disabled: one !== null });
  const options = city.KINDS.map((kind) => {
    const known = setUp.includes(kind) || one?.kind === kind;
    const words = app.t(`channelKind_${kind}`);
    const text = known ? words : app.t("channelNotSetUp", { kind: words });
    return h("option", { value: kind, disabled: !known, selected: one?.kind === kind }, text);
  });
  fill(element, ...options);
  if (one === null) element.value = city.KINDS.find((kind) => setUp.includes(kind)) ?? "";
  return { element, value: (): city.Kind => element.value as city.Kind };
}

function addressFields({ app }: Desk, one: city.Channel | null) {
  const element = h("div", { class: "fields" });
  const address = h("input", { required: one === null, autocomplete: "off", spellcheck: false });
  const secret = h("input", { type: "password", maxLength: 200, autocomplete: "new-password" });
  const below = one === null ? app.t("channelSealed") : app.t("channelKeep", { now: one.address ?? "–" });
  const types: Readonly<Partial<Record<city.Kind, string>>> = { email: "email", sms: "tel" };
  return {
    element,
    of(kind: city.Kind): void {
      address.type = types[kind] ?? "url";
      address.placeholder = types[kind] === undefined ? "https://" : "";
      const secretBelow = one === null ? "" : app.t("channelSecretKeep");
      fill(
        element,
        labelled(app.t(`channelAddress_${kind}`), address, below),
        kind === "dingtalk" && labelled(app.t("channelSecret"), secret, secretBelow),
        kind === "webhook" && one === null && hint(app.t("channelSigned")),
      );
    },
    value: (kind: city.Kind): Pick<city.Wanted, "address" | "secret"> => ({
      ...(address.value.trim() === "" ? {} : { address: address.value.trim() }),
      ...(kind === "dingtalk" && secret.value !== "" ? { secret: secret.value } : {}),
    }),
  };
}

function reachChoice({ app }: Desk, names: Names, one: city.Channel | null) {
  const begin: Reach = one?.department != null ? "department" : one?.area != null ? "area" : "city";
  const [first = ""] = names.areas.keys();
  const levels = new Map([[first.slice(0, CITY_DIGITS), cityLevel(app)], ...names.areas]);
  const department = choice(app.t("hookDepartment"), app.t("channelChoose"), names.departments, one?.department);
  const area = choice(app.t("peopleAreas"), app.t("channelChoose"), levels, one?.area);
  const radios = REACHES.map((value) => h("input", { type: "radio", name: "reach", value, checked: value === begin }));
  const chosen = (): Reach => REACHES.find((_, at) => radios[at]?.checked) ?? "city";
  const draw = (): void => {
    const now = chosen();
    for (const [box, of] of [
      [department, "department"],
      [area, "area"],
    ] as const) {
      box.hidden = now !== of;
      box.required = now === of;
    }
  };
  for (const radio of radios) radio.onchange = draw;
  draw();
  const element = h(
    "fieldset",
    {},
    h("legend", {}, app.t("channelReach")),
    h(
      "div",
      { class: "ways" },
      ...REACHES.map((value, at) => h("label", {}, radios[at], app.t(`channelReach_${value}`))),
    ),
    department,
    area,
  );
  return {
    element,
    value: (): Pick<city.Wanted, "department" | "area"> => ({
      department: chosen() === "department" ? department.value : null,
      area: chosen() === "area" ? area.value : null,
    }),
  };
}

function noticeChoice({ app }: Desk, known: readonly city.Notice[], one: city.Channel | null) {
  const some = (one?.kinds.length ?? 0) > 0;
  const all = h("input", { type: "radio", name: "notices", checked: !some });
  const only = h("input", { type: "radio", name: "notices", checked: some });
  const boxes = known.map(({ code, title }) => {
    const box = h("input", { type: "checkbox", value: code, checked: one?.kinds.includes(code) ?? false });
    return { box, row: h("label", {}, box, app.title(title)) };
  });
  const list = h("div", { class: "boxes" }, ...boxes.map(({ row }) => row));
  const draw = (): void => {
    list.hidden = all.checked;
    boxes[0]?.box.setCustomValidity(all.checked || boxes.some(({ box }) => box.checked) ? "" : app.t("channelChoose"));
  };
  for (const box of [all, only, ...boxes.map((each) => each.box)]) box.onchange = draw;
  draw();
  const element = h(
    "fieldset",
    {},
    h("legend", {}, app.t("channelNotices")),
    h(
      "div",
      { class: "ways" },
      h("label", {}, all, app.t("channelAllNotices")),
      h("label", {}, only, app.t("channelSomeNotices")),
    ),
    list,
  );
  const chosen = (): string[] => boxes.filter(({ box }) => box.checked).map(({ box }) => box.value);
  return { element, value: () => (all.checked ? [] : chosen()) };
}
