/** The channels by which notices go out: how each stands, set up, changed, tried, paused and ended. */
import * as city from "../city/channels.ts";
import { fill, h, iconButton } from "../page/dom.ts";
import { channelForm } from "./channelform.ts";
import { at, attempt, button, cell, type Desk, hint, sure, table, toldOnce } from "./common.ts";
import { reachOf } from "./reach.ts";
import { type Names, NO_NAMES, namesOf } from "./scope.ts";
import { outcomeWords, recordOf, type SentList, standing, standingFacts } from "./sendings.ts";

const ASK_AGAIN_MS = 1_500;
const PATIENCE_MS = 30_000;

export function channelsView(element: HTMLElement, desk: Desk): void {
  const { app } = desk;
  const body = h("div", { class: "listed" });
  const beside = h("aside", { class: "person", hidden: true, tabIndex: -1 });
  let names: Names = NO_NAMES;
  const naming = namesOf(app, desk.over);
  naming.catch(() => undefined); // whoever awaits it says what went wrong
  let told: city.Channels = { channels: [], kinds: [], notices: [] };
  let opened: number | null = null;

  const load = async (): Promise<void> => {
    told = await city.channels();
    draw();
  };
  const open = (id: number): void => {
    opened = id;
    draw();
    const one = told.channels.find((each) => each.id === id);
    if (one === undefined) {
      close();
      return;
    }
    beside.hidden = false;
    channelView(beside, desk, one, { names, told, changed, close, anew, form });
    beside.focus();
  };
  const anew = async (id: number): Promise<city.Channel | undefined> => {
    await load();
    return told.channels.find((each) => each.id === id);
  };
  /** Read the list anew, and what is open with it. */
  const changed = async (): Promise<void> => {
    await load();
    if (opened !== null) open(opened);
  };
  const close = (): void => {
    opened = null;
    beside.hidden = true;
    fill(beside);
    draw();
  };
  const row = (one: city.Channel): HTMLElement => {
    const line = h(
      "tr",
      {},
      cell(button(one.title, () => open(one.id), "link")),
      cell(app.t(`channelKind_${one.kind}`)),
      cell(standing(app, one)),
      cell(reachOf(app, one, names)),
      cell(one.kinds.length === 0 ? app.t("peopleAll") : app.t("channelCount", { n: one.kinds.length })),
      cell(at(app, one.sent_at)),
    );
    if (one.id === opened) line.setAttribute("aria-selected", "true");
    return line;
  };
  const draw = (): void => {
    const headings = [
      app.t("channelTitle"),
      app.t("channelKind"),
      app.t("channelState"),
      app.t("channelReach"),
      app.t("channelNotices"),
      app.t("channelSentAt"),
    ];
    const { channels } = told;
    const rows = channels.map(row);
    fill(body, channels.length === 0 ? hint(app.t("channelNone")) : table(app.t("peopleTab_channels"), headings, rows));
  };
  const made = async (one: city.Channel & { secret?: string }): Promise<void> => {
    opened = one.id;
    await changed();
    if (one.secret !== undefined)
      toldOnce(app, `${app.t("hookSecret")} · ${one.title}`, one.secret, app.t("hookSecretWhy"));
  };
  // Names come with the shapes of the areas: the list does not wait for them, a form does.
  const form = (one: city.Channel | null): void =>
    void attempt(desk, async () =>
      channelForm(desk, { names: await naming, told }, one, one === null ? made : changed),
    );
  const add = button(app.t("channelNew"), () => form(null), "primary");
  fill(
    element,
    hint(app.t("channelWhy")),
    h("div", { class: "tools" }, add),
    h("div", { class: "split channels" }, body, beside),
  );
  void attempt(desk, async () => {
    await load();
    names = await naming;
    draw();
  });
}

interface About {
  names: Names;
  told: city.Channels;
  changed: () => Promise<void>;
  close: () => void;
  /** Open the form of a channel. */
  form: (one: city.Channel) => void;
  /** A channel as it is now; the list is read anew. */
  anew: (id: number) => Promise<city.Channel | undefined>;
}

function channelView(element: HTMLElement, desk: Desk, one: city.Channel, about: About): void {
  const { app } = desk;
  const record = recordOf(
    desk,
    (before) => city.channelSendings(one.id, before),
    (sent) => (sent.notice === null ? `${app.t("sentTest")} · ${app.title(sent.text)}` : app.title(sent.text)),
  );
  const result = h("p", { class: "result", role: "status" });
  let known = facts(desk, one, about);
  const test = (): void => {
    void attempt(desk, async () => {
      await tried(desk, one.id, result, record);
      const now = await about.anew(one.id);
      if (now === undefined || !result.isConnected) return;
      const other = facts(desk, now, about);
      known.replaceWith(other);
      known = other;
    });
  };
  fill(
    element,
    h("header", {}, h("h2", {}, one.title), iconButton("close", app.t("peopleClose"), about.close)),
    known,
    acts(desk, one, about, test),
    result,
    record.element,
  );
  void attempt(desk, record.load);
}

function facts({ app }: Desk, one: city.Channel, { names, told }: About): HTMLElement {
  const kinds = one.kinds.map((code) => {
    const known = told.notices.find((each) => each.code === code);
    return known === undefined ? code : app.title(known.title);
  });
  const rows: [string, string | Node][] = [
    [app.t("channelState"), standing(app, one)],
    [app.t("channelKind"), app.t(`channelKind_${one.kind}`)],
    [app.t("channelAddress"), one.address ?? app.t("channelLost")],
    [app.t("channelReach"), reachOf(app, one, names)],
    [app.t("channelNotices"), kinds.join(app.t("peopleAnd")) || app.t("peopleAll")],
    ...standingFacts(app, one),
    [app.t("channelBy"), app.t("channelByWhom", { actor: one.actor, at: at(app, one.at) })],
  ];
  return h("dl", {}, ...rows.flatMap(([name, text]) => [h("dt", {}, name), h("dd", {}, text)]));
}

function acts(desk: Desk, one: city.Channel, { changed, close, form }: About, test: () => void): HTMLElement {
  const { app } = desk;
  const { id, title: name } = one;
  const pause = async (): Promise<void> => {
    await city.pauseChannel(id);
    await changed();
  };
  const resume = async (): Promise<void> => {
    await city.resumeChannel(id);
    await changed();
  };
  const end = async (): Promise<void> => {
    await city.endChannel(id);
    close();
    await changed();
  };
  return h(
    "div",
    { class: "acts" },
    button(app.t("channelTry"), test, "primary"),
    button(app.t("channelChange"), () => form(one)),
    one.paused_at === null
      ? button(app.t("channelPause"), () =>
          sure(desk, app.t("channelPauseSure", { name }), app.t("channelPause"), pause),
        )
      : button(app.t("channelResume"), () => void attempt(desk, resume)),
    button(app.t("channelEnd"), () => sure(desk, app.t("channelEndSure", { name }), app.t("channelEnd"), end)),
  );
}

/** Send a test notice and look, until there is one, for its result. */
async function tried(desk: Desk, id: number, result: HTMLElement, record: SentList<city.NoticeSent>): Promise<void> {
  const { app } = desk;
  fill(result, app.t("channelTrying"));
  const { sending } = await city.tryChannel(id);
  const until = Date.now() + PATIENCE_MS;
  while (Date.now() < until && result.isConnected && !desk.over.aborted) {
    const one = (await record.load()).find((each) => each.id === sending);
    if (one !== undefined && (one.sent_at !== null || one.error !== null)) {
      fill(result, app.t("channelTried", { result: "" }), outcomeWords(app, one));
      return;
    }
    await new Promise((done) => setTimeout(done, ASK_AGAIN_MS));
  }
  fill(result, app.t("channelTryLate"));
}
