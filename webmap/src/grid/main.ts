/** The grid worker's phone: signs in, opens what the phone keeps, and wires the views together. */
import { type LonLat, Unreachable } from "../city/api.ts";
import { loadCity } from "../city/city.ts";
import { may } from "../city/session.ts";
import { type App, createApp } from "../page/app.ts";
import { begin } from "../page/begin.ts";
import { fill, h } from "../page/dom.ts";
import { noticeBell } from "../page/notices.ts";
import { signIn, signOut } from "../page/signin.ts";
import { blank, createStore, type State } from "../page/state.ts";
import type { Lang } from "../words/i18n.ts";
import { type Area, areaOf } from "./area.ts";
import { openCare, rightsOf } from "./care.ts";
import { openCases } from "./cases.ts";
import type { Ground } from "./ground.ts";
import { openGround } from "./ground.ts";
import { openKept } from "./kept.ts";
import { type Installing, openMenu } from "./menu.ts";
import { needForm } from "./needform.ts";
import { needList } from "./needlist.ts";
import { needView } from "./needview.ts";
import { type Offline, startOffline } from "./offline.ts";
import { openOutbox } from "./outbox.ts";
import type { Phone, View } from "./phone.ts";
import type { Places } from "./placefield.ts";
import { recentOf } from "./recent.ts";
import { register } from "./register.ts";
import { type ReportView, reportView } from "./reportview.ts";
import { buildShell, type Shell, showHead, showStrip, showTabs, TABS, type Tab } from "./shell.ts";
import { openShift } from "./shift.ts";
import { taskList } from "./tasklist.ts";
import { taskView } from "./taskview.ts";
import { visitForm } from "./visitform.ts";
import { visitList } from "./visitview.ts";
import { type Amending, waitingView } from "./waitingview.ts";
import { remember, workerOf } from "./who.ts";
import "../page/theme.css";
import "./grid.css";

/** What a worker looks for beside tasks: the city's ground, its grids and what stands in them. */
const SHOWN = ["county", "building", "grid", "road", "component", "place"];

/** A phone holds no stream open: it asks. */
const NOTICES_MS = 60_000;

const langAsked = (): Lang => (new URLSearchParams(location.search).get("lang") === "en" ? "en" : "zh");

function stateFor(city: { layers: { name: string }[] }, lang: Lang): State {
  const layers = city.layers.map(({ name }) => name).filter((name) => SHOWN.includes(name));
  const palette = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  return { ...blank(), layers, palette, lang };
}

let installing: Installing | null = null;
addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  installing = event as Installing;
});

async function start(root: HTMLElement): Promise<void> {
  const lang = langAsked();
  document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
  const registering = register();
  const kept = await openKept();
  const city = await loadCity();
  const who = workerOf(city.who);
  await remember(kept, who);
  const app = createApp(createStore(stateFor(city, lang)), city);
  document.title = `${app.t("gridPage")} · ${app.t("brand")}`;
  const shell = buildShell(root);
  if (who === null) {
    signInFirst(shell, app);
    return;
  }
  const [, outbox, cases, shift, area] = await Promise.all([
    // Codes are shown where their words are not to be had.
    may(city.who, "incident.view") ? city.detail("incident").catch(() => null) : null,
    openOutbox(kept, who.login, who.exercise),
    openCases(kept),
    openShift(kept),
    areaOf(kept, who).catch(unreached),
  ]);
  const care = await openCare(kept, rightsOf(city.who), middleOf(area));
  const has = (right: string): boolean => may(city.who, right);
  const phone: Phone = { app, lang, who, kept, outbox, cases, shift, care, may: has, signOut, say: shell.say };
  await run(shell, phone, area, registering);
}

function unreached(error: unknown): null {
  if (error instanceof Unreachable) return null;
  throw error;
}

function signInFirst({ main }: Shell, app: App): void {
  const button = h("button", { type: "button", class: "primary big", onclick: () => signIn(app) }, app.t("signIn"));
  const hello = [h("h1", {}, app.t("gridPage")), h("p", {}, app.t("gridSignInFirst")), button];
  fill(main, h("section", { class: "view hello" }, ...hello));
  document.documentElement.dataset.ready = "true";
}

async function run(shell: Shell, phone: Phone, area: Area | null, registering: Promise<boolean>): Promise<void> {
  const { outbox, cases, shift, care } = phone;
  const offline: Offline = { works: false, area, keeping: false, keepAgain: () => undefined };
  let ground: Ground | null = null;
  const opening = openGround(phone, { area, main: shell.main, opened: ({ id }) => go(`task/${id}`) });
  const bell = noticeBell(phone.app, { href: (id) => `#task/${id}`, every_ms: NOTICES_MS });
  const views = viewsOf(phone, area, { ground: () => ground, opening });
  const frame = (name: string): void => {
    showHead(shell, phone, { title: titleOf(phone, area), bell }, () => openMenu(phone, offline, installing));
    showStrip(shell, phone);
    const open = name === "task" ? "tasks" : name;
    const counts = { tasks: cases.list().length, waiting: outbox.box().acts.length, needs: care.needs().length };
    showTabs(shell, phone.app, { shown: tabsOf(phone), open, counts });
  };
  const tabs = tabsOf(phone);
  const first = (["tasks", "visits"] as const).find((tab) => tabs.includes(tab)) ?? "report";
  const viewOf = (name: string, part: string): View => {
    const found = part === "" ? views[name] : (views[`${name}/${part}`] ?? views[`${name}/`] ?? views[name]);
    return (found ?? views[first] ?? views.tasks)();
  };
  const here = (): { name: string; part: string } => {
    const { name, part } = route();
    return { name: name === "" ? first : name, part };
  };
  const show = (): void => {
    const { name, part } = here();
    const view = viewOf(name, part);
    if (view.element.parentElement === null) shell.main.append(view.element);
    for (const child of shell.main.children) child.classList.toggle("open", child === view.element);
    view.show(part);
    frame(name);
  };
  addEventListener("hashchange", show);
  for (const source of [cases, shift, outbox, care])
    source.on(() => {
      const { name, part } = here();
      viewOf(name, part).update();
      frame(name);
    });
  renewArrived(phone);
  show();
  document.documentElement.dataset.ready = "true";
  if (phone.may("incident.view")) void cases.refresh();
  void care.refresh();
  outbox.kick();
  ground = await opening;
  show();
  Object.assign(window, { __chengtu: { map: ground.cityMap.map, ready: ground.cityMap.ready } });
  await startOffline(phone, offline, { ground, registering });
}

interface Views {
  tasks(): View;
  [name: string]: () => View;
}

function viewsOf(
  phone: Phone,
  area: Area | null,
  { ground, opening }: { ground: () => Ground | null; opening: Promise<Ground> },
): Views {
  const places: Places = {
    middle: middleOf(area),
    async pick(from, back) {
      go("map");
      const place = await (await opening).pick(from);
      go(back);
      return place;
    },
  };
  const report = reportView(phone, places);
  const care = careViews(phone, places, area, report);
  const amending: Amending = {
    amend(...given) {
      report.amend(...given);
      go("report");
    },
    amendCare(kind, body, filed) {
      (kind === "need" ? care.needForm : care.visitForm).amend(body, filed);
      go(kind === "need" ? "needs/new" : "visits/new");
    },
  };
  const task = taskView(phone, {
    showOnMap(brief, way) {
      go("map");
      ground()?.showTask(brief, way?.line ?? null);
    },
  });
  const [tasks, waiting, away] = [taskList(phone), waitingView(phone, amending), notThere(phone)];
  return {
    ...{ tasks: () => tasks, report: () => report, waiting: () => waiting, task: () => task },
    map: () => ground() ?? away,
    ...care.views,
  };
}

/** The views of needs and visits. */
function careViews(phone: Phone, places: Places, area: Area | null, report: ReportView) {
  const form = needForm(phone, places, () => area?.areas ?? []);
  const visit = visitForm(phone, places, () => recentOf(phone.kept));
  const [needs, visits] = [needList(phone), visitList(phone)];
  const need = needView(phone, {
    report(at, words, filed) {
      report.prefill(at, words, filed);
      go("report");
    },
  });
  const views: Record<string, () => View> = {
    ...{ needs: () => needs, "needs/new": () => form, "needs/": () => need },
    ...{ visits: () => visits, "visits/new": () => visit },
  };
  return { needForm: form, visitForm: visit, views };
}

const middleOf = (area: Area | null): LonLat | null =>
  area === null ? null : [(area.bounds[0] + area.bounds[2]) / 2, (area.bounds[1] + area.bounds[3]) / 2];

/** The views that whoever is signed in has a right to use. */
function tabsOf({ care, may }: Phone): Tab[] {
  const hidden: Partial<Record<Tab, boolean>> = {
    ...{ tasks: !may("incident.view"), needs: !care.rights.needs, visits: !care.rights.visits },
  };
  return TABS.filter((tab) => hidden[tab] !== true);
}

/** Ask anew for the cases of which an act has arrived: what can be done next has changed. */
function renewArrived({ outbox, cases, care }: Phone): void {
  let before = outbox.box().acts;
  outbox.on(() => {
    const { acts } = outbox.box();
    const gone = before.filter(({ key }) => !acts.some((act) => act.key === key));
    before = acts;
    const [ofCare, ofCases] = [
      gone.filter(({ doing }) => "fills" in doing),
      gone.filter(({ doing }) => !("fills" in doing)),
    ];
    if (ofCases.length > 0) void cases.refresh();
    if (ofCare.length > 0) void care.refresh();
  });
}

function titleOf({ app }: Phone, area: Area | null): string {
  if (area === null) return app.t("gridNoGrid");
  return area.names.length === 1 ? (area.names[0] ?? "") : app.t("gridManyGrids", { n: area.names.length });
}

function go(where: string): void {
  location.hash = `#${where}`;
}

function route(): { name: string; part: string } {
  const [name = "", part = ""] = location.hash.slice(1).split("/", 2);
  return { name, part };
}

function notThere({ app }: Phone): View {
  const element = h("section", { class: "view" }, h("p", { class: "nothing" }, app.t("gridMapAway")));
  return { element, show: () => undefined, update: () => undefined };
}

begin(start);
