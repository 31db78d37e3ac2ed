/** Webhooks: where departments' own systems are told of their cases, registered, ended, and what became of each telling. */
import * as city from "../city/channels.ts";
import { departments } from "../city/departments.ts";
import { type Rules, rules } from "../city/incidents.ts";
import { fill, h, iconButton } from "../page/dom.ts";
import { ask, at, attempt, button, cell, type Desk, hint, labelled, sure, table, toldOnce } from "./common.ts";
import { choice } from "./reach.ts";
import { recordOf, standing, standingFacts } from "./sendings.ts";

export function webhooksView(element: HTMLElement, desk: Desk): void {
  const { app } = desk;
  const body = h("div", { class: "listed" });
  const beside = h("aside", { class: "person", hidden: true, tabIndex: -1 });
  let names: ReadonlyMap<string, string> = new Map();
  const naming = departments().then(
    (told) => new Map(told.departments.map(({ code, title }) => [code, app.title(title)])),
  );
  naming.catch(() => undefined); // whoever awaits it says what went wrong
  let steps: Rules["steps"] = [];
  let found: city.Webhook[] = [];
  let opened: number | null = null;

  const nameOf = (code: string): string => names.get(code) ?? code;
  const load = async (): Promise<void> => {
    found = (await city.webhooks()).webhooks;
    draw();
  };
  const close = (): void => {
    opened = null;
    beside.hidden = true;
    fill(beside);
    draw();
  };
  const stepWord = (name: string): string => {
    const known = steps.find(({ step }) => step === name);
    if (name === "report") return app.t("hookReported"); // it begins a case, and is no step of the table
    return known === undefined ? name : app.title(known.title);
  };
  const open = (one: city.Webhook): void => {
    opened = one.id;
    draw();
    beside.hidden = false;
    const record = recordOf(
      desk,
      (before) => city.webhookSendings(one.id, before),
      (sent) => app.t("hookLine", { step: stepWord(sent.name), id: sent.incident }),
    );
    fill(
      beside,
      h("header", {}, h("h2", {}, nameOf(one.department)), iconButton("close", app.t("peopleClose"), close)),
      facts(desk, one),
      h("div", { class: "acts" }, ending(one)),
      record.element,
    );
    beside.focus();
    void attempt(desk, record.load);
  };
  const ending = (one: city.Webhook): HTMLElement =>
    button(app.t("channelEnd"), () =>
      sure(desk, app.t("hookEndSure", { url: one.url }), app.t("channelEnd"), async () => {
        await city.endWebhook(one.id);
        close();
        await load();
      }),
    );
  const row = (one: city.Webhook): HTMLElement => {
    const line = h(
      "tr",
      {},
      cell(button(nameOf(one.department), () => open(one), "link")),
      cell(h("span", { class: "url" }, one.url)),
      cell(standing(app, one)),
      cell(at(app, one.sent_at)),
    );
    if (one.id === opened) line.setAttribute("aria-selected", "true");
    return line;
  };
  const draw = (): void => {
    const headings = [app.t("hookDepartment"), app.t("hookUrl"), app.t("channelState"), app.t("channelSentAt")];
    const rows = found.map(row);
    fill(body, found.length === 0 ? hint(app.t("hookNone")) : table(app.t("peopleTab_webhooks"), headings, rows));
  };
  const register = (): void => void attempt(desk, async () => newWebhook(desk, await naming, load));
  const add = button(app.t("hookNew"), register, "primary");
  fill(
    element,
    hint(app.t("hookWhy")),
    h("div", { class: "tools" }, add),
    h("div", { class: "split webhooks" }, body, beside),
  );
  void attempt(desk, async () => {
    const [named, table] = await Promise.all([naming, rules(), load()]);
    names = named;
    steps = table.steps;
    draw();
  });
}

function facts({ app }: Desk, one: city.Webhook): HTMLElement {
  const rows: [string, string | Node][] = [
    [app.t("channelState"), standing(app, one)],
    [app.t("hookUrl"), one.url],
    ...standingFacts(app, one),
    [app.t("channelBy"), app.t("channelByWhom", { actor: one.actor, at: at(app, one.at) })],
  ];
  return h("dl", {}, ...rows.flatMap(([name, text]) => [h("dt", {}, name), h("dd", {}, text)]));
}

function newWebhook({ app }: Desk, names: ReadonlyMap<string, string>, made: () => Promise<void>): void {
  const { departments: own } = app.city.who;
  const offered = new Map([...names].filter(([code]) => own === null || own.includes(code)));
  const department = choice(app.t("hookDepartment"), app.t("channelChoose"), offered, null);
  department.required = true;
  const url = h("input", { type: "url", required: true, maxLength: 500, autocomplete: "off", placeholder: "https://" });
  const parts = [labelled(app.t("hookDepartment"), department), labelled(app.t("hookUrl"), url, app.t("hookUrlHint"))];
  ask(app, app.t("hookNew"), parts, app.t("hookNew"), async () => {
    const { secret } = await city.register(department.value, url.value.trim());
    await made();
    toldOnce(app, app.t("hookSecret"), secret, app.t("hookSecretWhy"));
  });
}
