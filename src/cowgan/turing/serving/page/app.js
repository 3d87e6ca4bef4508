/** The page for reading in the browser: enters, starts, and hands over to the reading. */

import { byId, make } from "./dom.js";
import { HELP, listenToKeys } from "./keys.js";
import { randomName, sendLeftovers } from "./outbox.js";
import { PageView } from "./page_view.js";
import { Reading } from "./reading.js";
import { Refused, get, post } from "./server.js";
import * as texts from "./texts.js";

const TOKEN = /^[\w-]{43}$/;
const TAB = "reading-page";
const RETRY_MS = 3000;

const page = new PageView(press);
let onPress = () => {};
let reading = null;

listenToKeys(
  () => reading?.constants.design ?? "rating",
  (action) => {
    if (action === "help") openHelp();
    else if (action === "goOn" && page.visible) page.enter();
    else reading?.act(action);
  },
);
for (const button of document.querySelectorAll("button.help")) button.onclick = openHelp;
// A clicked button that keeps the focus would be pressed again by Space.
addEventListener(
  "mousedown",
  (event) => event.target.closest?.("button") && event.preventDefault(),
);
// Nothing may replace the page: neither a dropped file nor the page of another day.
for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
addEventListener("pageshow", (event) => event.persisted && location.reload());

open();

/** Enter with the token of the link, and begin; tries again until there is a connection. */
async function open(takeOver = false) {
  show(texts.OPENING);
  try {
    await enter();
    const constants = await get("api/reading");
    await sendLeftovers(constants.reader);
    await start(constants, takeOver || sessionStorage.getItem(TAB) !== null);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.code === "elsewhere") show(texts.ELSEWHERE, () => open(true));
    else if (error.code === "no_access") show(texts.noAccess(error.sentence));
    else {
      show(texts.broken(error.sentence), () => open(takeOver));
      if (error.passes) setTimeout(() => reading === null && open(takeOver), RETRY_MS);
    }
  }
}

async function enter() {
  const token = location.hash.slice(1);
  if (!token) return;
  if (!TOKEN.test(token)) throw new Refused("no_access", texts.INCOMPLETE_LINK);
  await post("api/enter", { token });
  // Out of the address bar, the history and screenshots.
  history.replaceState(null, "", location.pathname);
}

async function start(constants, takeOver) {
  const name = randomName();
  const { state } = await post("api/start", {
    page: name,
    at_ms: performance.now(),
    screen: { size: [screen.width, screen.height], device_pixel_ratio: devicePixelRatio },
    take_over: takeOver,
  });
  sessionStorage.setItem(TAB, name);
  reading = new Reading(constants, name, state, page, show, onEnd);
}

/** This page's reading cannot go on; another can begin. */
function onEnd(error) {
  reading = null;
  sessionStorage.removeItem(TAB);
  if (error.code === "superseded") show(texts.ELSEWHERE, () => open(true));
  else if (error.code === "not_started") open();
  else if (error.code === "no_access") show(texts.noAccess(error.sentence));
  else show(texts.broken(error.sentence), () => location.reload());
}

/** Show a page of text, and do something when its buttons are pressed. */
function show(text, action = () => {}) {
  onPress = action;
  page.show(text);
}

function press(label) {
  onPress(label);
}

function openHelp() {
  reading?.hide();
  fillHelp();
  byId("help").showModal();
}

function fillHelp() {
  const { design, mip, marks } = reading?.constants ?? {};
  // Readers of first impressions must not learn the purpose yet.
  const judged = reading !== null && reading.now.trial?.phase !== "impression";
  const rows = [
    ...(judged ? HELP[design] : []),
    ...HELP.common,
    ...(mip ? HELP.mip : []),
    ...(judged && marks ? HELP.marks : []),
    ...HELP.last,
  ];
  byId("help-rows").replaceChildren(
    ...rows.map((cells) =>
      make("tr", {}, ...cells.map((textContent) => make("td", { textContent }))),
    ),
  );
}
