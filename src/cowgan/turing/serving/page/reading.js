/** A reading in this page: passes what the reader does on to the image and the server. */

import { byId } from "./dom.js";
import { ImageArea } from "./image_area.js";
import { Outbox } from "./outbox.js";
import { Presenter } from "./presenter.js";
import { receipt } from "./server.js";
import { SAVING, WAITING, after, can, judging, onScreen, withImage } from "./state.js";
import * as texts from "./texts.js";
import { TrialView } from "./trial_view.js";
import { ViewingLog } from "./viewing_log.js";
import { Volumes } from "./volumes.js";

const LOG_MS = 2000;
const TICK_MS = 1000;
const ASLEEP_MS = 5000;
/** A window that becomes full-screen briefly loses the focus. */
const AWAY_MS = 200;
const WITHOUT_TRIAL = new Set([
  "understood",
  "consent",
  "proceed",
  "pause",
  "unpause",
  "focus",
  "stop",
]);

export class Reading {
  #server;
  #outbox;
  #page;
  #show;
  #image;
  #trialView;
  #presenter;
  #volumes = new Volumes();
  #log = new ViewingLog((data, atMs) => this.#do("viewed", data, atMs));
  #presented = null;
  #focusLost = false;
  #touch = matchMedia("(pointer: coarse)").matches;
  #message = "";
  #beforePause = null;
  #ended = false;
  #tick = { wall: Date.now(), now: performance.now() };
  #timers;
  #abort = new AbortController();

  /**
   * @param {object} constants What never changes during the reading.
   * @param {string} name Random name of this page.
   * @param {object} state The server's first state.
   * @param {import("./page_view.js").PageView} page Shows texts.
   * @param {function(object, function): void} show Shows one, with what its buttons do.
   * @param {function(Error): void} onEnd Called when this page cannot go on.
   */
  constructor(constants, name, state, page, show, onEnd) {
    this.constants = constants;
    this.#server = state;
    this.#page = page;
    this.#show = show;
    this.#outbox = new Outbox(constants.reader, name, {
      onAnswer: (answer) => this.#onAnswer(answer),
      onTrouble: () => this.refresh(),
      onEnd: (error) => {
        this.#end();
        onEnd(error);
      },
    });
    this.#image = new ImageArea(byId("image"), constants, {
      onView: (view) => this.#onView(view),
      onPick: (volume, voxel) => this.#mark(volume, voxel),
    });
    this.#trialView = new TrialView(
      constants,
      (action) => this.act(action),
      (reason) => this.#do("toggle_reason", { reason }),
      this.#touch,
    );
    this.#presenter = new Presenter(this.#image, this.#volumes);
    this.#timers = [
      setInterval(() => this.#onLogTimer(), LOG_MS),
      setInterval(() => this.#onTick(), TICK_MS),
    ];
    const { signal } = this.#abort;
    addEventListener("blur", () => this.#onBlur(), { signal });
    document.addEventListener("visibilitychange", () => this.#onVisibility(), { signal });
    addEventListener("pagehide", () => this.#onClose(), { signal });
    addEventListener("online", () => this.#outbox.send(), { signal });
    addEventListener("offline", () => this.#outbox.send(), { signal });
    this.#outbox.send();
    this.refresh();
  }

  /** What the server said last, and what follows from the actions on their way to it. */
  get now() {
    const possible = (now, action) => can(this.constants, now, action.kind);
    return this.#outbox.pending.reduce(
      (now, action) => (possible(now, action) ? after(this.constants, now, action) : now),
      this.#server,
    );
  }

  /** Carry out an action of the reader, if it is possible now. */
  act(action) {
    this.#onTick();
    if (action === "goOn") this.#goOn();
    else if (action === "first" || action === "second") {
      const answer = this.constants.answers[action === "second" ? 1 : 0];
      if (answer !== this.now.answer) this.#do("answer", { answer });
    } else if (/^level\d$/.test(action)) this.#do("level", { level: Number(action.slice(-1)) });
    else if (action === "undoMark") this.#do("undo_mark", {});
    else if (action === "pause") {
      if (this.now.state === "paused") this.#do("unpause", {});
      else this.#pause("key");
    } else if (action === "brightness") {
      this.#image.brightness = !this.#image.brightness;
      this.#trialView.showView(this.#image.view, this.#image.brightness);
    } else if (action === "fullScreen") toggleFullScreen();
    else if (["axial", "coronal", "sagittal"].includes(action)) this.#image.lookFrom(action);
    else this.#image.act(action);
  }

  /** Hide the image, if one is on screen. */
  hide() {
    if (withImage(this.now)) this.#pause("key");
  }

  /** Show the page or the image of the present state. */
  refresh() {
    if (this.#ended) return;
    const { now } = this;
    const { trouble } = this.#outbox;
    const waits = now.state === WAITING || now.state === SAVING;
    byId("connection").textContent = trouble && !waits ? texts.connection(trouble) : "";
    byId("connection").hidden = !trouble || waits;
    const text = this.#text(now, trouble);
    byId("trial").hidden = text !== null;
    if (text !== null) {
      this.#show(text, (label) => this.#press(label));
    } else {
      this.#page.hide();
      this.#focusLost = false;
      this.#trialView.refresh(now);
      this.#image.showMarks(now.marks);
    }
    this.#refreshImage(now);
    this.#volumes.prepare([...(now.trial?.volumes ?? []), ...now.upcoming]);
  }

  #refreshImage(now) {
    const presented = this.#presented !== null && this.#presented === now.trial?.number;
    if (now.state === "loading" && !presented) {
      this.#present(now.trial);
    } else if (onScreen(now) && presented && !this.#image.shown) {
      // After a pause, or after an answer that the server refused.
      this.#image.reveal();
      this.#image.showMarks(now.marks);
      if (judging(now)) this.#log.resume(this.#image.view, performance.now());
    } else if (!withImage(now) && now.state !== "paused") {
      this.#blank();
    }
  }

  #text(now, trouble) {
    const { constants } = this;
    switch (now.state) {
      case "instructions":
        return texts.instructions(constants, now.trial, this.#touch);
      case "consent":
        return texts.consent(constants, now.start_code);
      case "declined":
        return texts.DECLINED;
      case "ready":
        return texts.ready(constants, now, this.#touch);
      case "break":
        return texts.rest(now.trial);
      case "paused":
        return texts.pause(this.#focusLost);
      case "finished":
        return texts.finished(now.finish_code, this.#message);
      case WAITING:
      case SAVING:
        if (trouble) return texts.unsent(trouble.sentence);
        return now.state === WAITING ? texts.OPENING : null;
      default:
        return null;
    }
  }

  #press(label) {
    const { state } = this.now;
    if (state === "finished") this.#pressAtEnd(label);
    else if (state === "consent") this.#do("consent", { given: label !== texts.DECLINE });
    else this.#goOn();
  }

  async #pressAtEnd(label) {
    try {
      if (label === texts.COPY_CODE) {
        await copy(byId("code"));
        this.#message = texts.COPIED;
      } else {
        save(await receipt(), `${this.constants.reader}_receipt.json`);
        this.#message = texts.RECEIPT_SAVED;
      }
    } catch (error) {
      this.#message = error.sentence ?? texts.NOT_COPIED;
    }
    this.refresh();
  }

  #goOn() {
    const { state } = this.now;
    if (state === "rated") this.#commit();
    else if (["ready", "feedback", "break"].includes(state)) {
      if (state === "feedback") this.#blank();
      this.#do("proceed", {});
    } else if (state === "instructions") this.#do("understood", {});
    else if (state === "consent") this.#do("consent", { given: true });
    else if (state === "paused") this.#do("unpause", {});
    else if (state === WAITING || state === SAVING) this.#outbox.send();
  }

  #do(kind, data, atMs = performance.now()) {
    const { now } = this;
    if (this.#ended || !can(this.constants, now, kind)) return;
    this.#outbox.add(kind, data, WITHOUT_TRIAL.has(kind) ? null : now.trial.number, atMs);
    this.refresh();
  }

  #commit() {
    this.#log.rest(performance.now());
    // Practice leaves the image beside the right answer.
    if (this.now.trial.phase !== "practice") this.#presenter.blank();
    this.#do("commit", { seen: this.#log.seen(this.constants.display.shape[0]) });
  }

  #pause(reason, atMs = performance.now()) {
    if (!can(this.constants, this.now, "pause")) return;
    this.#beforePause = this.now.state;
    this.#log.rest(atMs);
    if (this.#beforePause === "loading") this.#blank();
    else this.#presenter.blank();
    this.#do("pause", { reason }, atMs);
  }

  #present(trial) {
    this.#presented = trial.number;
    this.#image.brightness = false;
    this.#trialView.showTrial(trial);
    this.#trialView.showView(this.#image.frame.start(), false);
    this.#presenter.present(trial.volumes, {
      onDrawn: (atMs) => {
        this.#trialView.hint("");
        this.#log.begin(this.#image.view, atMs);
        this.#do("shown", { canvas_px: this.#image.size }, atMs);
      },
      onLong: () => this.#trialView.hint(texts.LOADING),
      onFailure: () => {
        // Names change when the server is started again; the state has the new ones.
        this.#presented = null;
        this.#trialView.hint(texts.LOADING);
        setTimeout(() => this.#outbox.send(), TICK_MS);
      },
    });
  }

  #blank() {
    this.#presented = null;
    this.#presenter.blank();
  }

  #mark(volume, voxel) {
    this.#do("mark", { voxel, volume });
  }

  #onView(view) {
    this.#log.change(view, performance.now());
    this.#trialView.showView(view, this.#image.brightness);
  }

  #onAnswer(state) {
    this.#server = { ...state, before_pause: this.#beforePause };
    this.refresh();
  }

  #onLogTimer() {
    this.#onTick();
    this.#log.flush(performance.now());
    const hintMs = this.constants.hint_s * 1000;
    if (hintMs && judging(this.now) && this.#log.viewedMs > hintMs) {
      this.#trialView.hint(texts.HINT);
    }
  }

  #onTick() {
    const before = this.#tick;
    this.#tick = { wall: Date.now(), now: performance.now() };
    const slept = this.#tick.wall - before.wall > ASLEEP_MS;
    if (slept && withImage(this.now)) this.#pause("asleep", before.now);
  }

  #onVisibility() {
    if (document.hidden && withImage(this.now)) this.#onLeft();
  }

  #onBlur() {
    setTimeout(() => document.hasFocus() || this.#onLeft(), AWAY_MS);
  }

  #onLeft() {
    if (withImage(this.now)) {
      this.#focusLost = true;
      this.#pause("focus lost");
    } else if (!this.#focusLost) this.#do("focus", { focus: "lost" });
  }

  #onClose() {
    this.#log.rest(performance.now());
    this.#outbox.leave(performance.now());
    this.#end();
  }

  #end() {
    this.#ended = true;
    this.#blank();
    byId("trial").hidden = true;
    byId("connection").hidden = true;
    this.#timers.forEach(clearInterval);
    this.#abort.abort();
    this.#outbox.close();
  }
}

function toggleFullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen();
}

/** Copy a text; the clipboard of modern browsers exists under HTTPS only. */
async function copy(element) {
  getSelection().selectAllChildren(element);
  if (navigator.clipboard) await navigator.clipboard.writeText(element.textContent);
  else if (!document.execCommand("copy")) throw new Error("The clipboard is closed to this page.");
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
