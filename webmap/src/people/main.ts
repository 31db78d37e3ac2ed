/** The page of those who administer: accounts, roles and rights, keys, channels, webhooks, and how the audit chain stands. */
import * as api from "../city/api.ts";
import { loadCity } from "../city/city.ts";
import { may, type Who } from "../city/session.ts";
import { headTools } from "../desk/shell.ts";
import { type App, createApp } from "../page/app.ts";
import { begin, langOfUrl, wayOut } from "../page/begin.ts";
import { fill, h } from "../page/dom.ts";
import { paintPage } from "../page/paint.ts";
import { signIn } from "../page/signin.ts";
import { blank, createStore, fromFragment, type State, toFragment } from "../page/state.ts";
import { whyIn } from "../page/why.ts";
import { word } from "../words/i18n.ts";
import { accountsView } from "./accounts.ts";
import { auditView } from "./audit.ts";
import { channelsView } from "./channels.ts";
import { type Desk, deskOf } from "./common.ts";
import { keysView } from "./keys.ts";
import { rolesView } from "./roles.ts";
import { webhooksView } from "./webhooks.ts";
import "../page/theme.css";
import "./people.css";

const TABS = ["accounts", "roles", "keys", "channels", "webhooks", "audit"] as const;
type Tab = (typeof TABS)[number];
const VIEWS: Record<Tab, (element: HTMLElement, desk: Desk) => void> = {
  accounts: accountsView,
  roles: rolesView,
  keys: keysView,
  channels: channelsView,
  webhooks: webhooksView,
  audit: auditView,
};
const PERSONNEL = ["account.edit", "role.edit", "audit.read"];
const NEEDED: Record<Tab, readonly string[]> = {
  accounts: PERSONNEL,
  roles: PERSONNEL,
  keys: ["key.make"],
  channels: ["channel.edit"],
  webhooks: ["key.make"],
  audit: ["audit.read"],
};

const openTo = (who: Who): readonly Tab[] => TABS.filter((tab) => NEEDED[tab].some((right) => may(who, right)));

const fragmentOf = (tab: Tab | undefined, state: State): string =>
  [tab && `tab=${tab}`, toFragment({ ...blank(), palette: state.palette, lang: state.lang }, blank())]
    .filter(Boolean)
    .join("&");

async function start(root: HTMLElement): Promise<void> {
  const city = await loadCity();
  const app = createApp(createStore({ ...fromFragment(location.hash, blank()), layers: [], view: null }), city);
  const tabs = openTo(city.who);
  let tab = tabFrom(tabs);
  let over = new AbortController();
  const head = h("header", { class: "title" });
  const wrong = h("p", { class: "complaint", role: "alert", hidden: true });
  const bar = h("div", { class: "tabs", role: "tablist" });
  const view = h("div", { class: "view", role: "tabpanel", tabIndex: -1 });
  fill(root, head, h("main", { class: "people" }, bar, wrong, view));
  headTools(head, app, "people");
  const complain = (text: string | null): void => {
    wrong.hidden = text === null;
    wrong.textContent = text ?? "";
  };
  const open = (): void => {
    over.abort();
    over = new AbortController();
    complain(null);
    document.title = `${app.t("peopleTitle")} · ${app.t("brand")}`;
    drawTabs();
    fill(view);
    if (tab === undefined) fill(view, closed(app));
    else VIEWS[tab](view, deskOf(app, complain, over.signal));
  };
  const drawTabs = (): void => {
    bar.hidden = tabs.length === 0;
    bar.setAttribute("aria-label", app.t("peopleTabs"));
    fill(
      bar,
      ...tabs.map((one) =>
        h(
          "button",
          { type: "button", role: "tab", aria: { selected: String(one === tab) }, onclick: () => go(one) },
          app.t(`peopleTab_${one}`),
        ),
      ),
    );
  };
  const go = (to: Tab): void => {
    tab = to;
    history.pushState(null, "", `#${fragmentOf(tab, app.store.get())}`);
    open();
  };
  addEventListener("popstate", () => {
    tab = tabFrom(tabs);
    open();
  });
  const paint = async (): Promise<void> => {
    const { palette, lang } = app.store.get();
    // The colours are those of every layer; the style of one tells them.
    const one = city.layers.slice(0, 1).map(({ name }) => name);
    paintPage((await api.style(palette, one, lang)).metadata["chengtu:palette"], palette);
  };
  app.store.on(["lang", "palette"], (state, before) => {
    history.replaceState(null, "", `#${fragmentOf(tab, state)}`);
    if (state.lang !== before.lang) open();
    if (state.palette !== before.palette) void paint();
  });
  open();
  await paint();
  document.documentElement.dataset.ready = "true";
}

function tabFrom(tabs: readonly Tab[]): Tab | undefined {
  const asked = new URLSearchParams(location.hash.replace(/^#/, "")).get("tab");
  return tabs.find((one) => one === asked) ?? tabs[0];
}

/** Whoever may do nothing here learns what this page is for, and what is missing. */
function closed(app: App): HTMLElement {
  const visitor = app.city.who.actor === null;
  return h(
    "section",
    { class: "first" },
    h("h2", {}, app.t(visitor ? "peopleSignInFirst" : "peopleLacksRight")),
    h("p", {}, app.t("peopleFor")),
    visitor && h("button", { type: "button", class: "primary", onclick: () => signIn(app) }, app.t("signIn")),
  );
}

/** Here the reason stands in place of the page. */
function unopened(root: HTMLElement, error: unknown): void {
  const lang = langOfUrl();
  const { name, act } = wayOut(error, () => location.reload());
  const button = h("button", { type: "button", class: "primary", onclick: act }, word(lang, name));
  fill(root, h("section", { class: "first", role: "alert" }, h("p", {}, whyIn(lang, error)), button));
}

begin(start, unopened);
