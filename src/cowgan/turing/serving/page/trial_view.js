/** Page of a trial: answers below the image, progress, marks and tools beside it. */

import { byId, make } from "./dom.js";
import { SIDES } from "./geometry.js";
import { SAVING, can, marking } from "./state.js";
import * as texts from "./texts.js";

/** Shows a trial, and what is answered. */
export class TrialView {
  #reading;
  #choices;
  #levels;
  #meanings;
  #reasons;
  #touch;

  /**
   * @param {object} reading Constants of the reading.
   * @param {function(string): void} act Called with the action of a button.
   * @param {function(string): void} toggleReason Called with the reason for a mark.
   * @param {boolean} touch Whether the screen is touched.
   */
  constructor(reading, act, toggleReason, touch) {
    this.#reading = reading;
    this.#touch = touch;
    const button = (properties) => make("button", { type: "button", ...properties });
    this.#choices = ["first", "second"].map((action, place) => {
      const answer = texts.ANSWERS[reading.design][place];
      const key = texts.ANSWER_KEYS[reading.design][place];
      const made = button({ className: "big", onclick: () => act(action) });
      made.append(answer, make("kbd", { textContent: key }));
      made.ariaLabel = `Answer: ${answer.toLowerCase()}`;
      made.setAttribute("aria-keyshortcuts", key);
      return made;
    });
    this.#levels = reading.levels.map((level) =>
      button({ className: "big", textContent: level, onclick: () => act(`level${level}`) }),
    );
    this.#meanings = reading.levels.map(() => make("span"));
    this.#reasons = reading.reasons.map((reason) =>
      button({ className: "chip", textContent: reason, onclick: () => toggleReason(reason) }),
    );
    byId("choices").replaceChildren(...this.#choices);
    byId("levels").replaceChildren(
      ...this.#levels.map((made, place) =>
        make("div", { className: "level" }, made, this.#meanings[place]),
      ),
    );
    byId("reasons").replaceChildren(...this.#reasons);
    byId("mip").hidden = !reading.mip;
    const actions = {
      next: "goOn",
      undo: "undoMark",
      mip: "mip",
      pause: "pause",
      brightness: "brightness",
      reset: "resetWindow",
      full: "fullScreen",
    };
    for (const [id, action] of Object.entries(actions)) byId(id).onclick = () => act(action);
    for (const side of byId("sides").children) side.onclick = () => act(side.dataset.side);
    byId("full").hidden = !document.fullscreenEnabled;
  }

  /** Show the question and progress of a trial. */
  showTrial(trial) {
    const impression = trial.phase === "impression";
    const question = texts.question(this.#reading.design, trial);
    byId("question").textContent = question;
    byId("choices").parentElement.hidden = impression;
    byId("scale").textContent = impression ? question : "How sure are you?";
    const meanings = impression ? texts.QUALITY : texts.CONFIDENCE;
    this.#levels.forEach((made, place) => {
      this.#meanings[place].textContent = meanings[place];
      made.ariaLabel = `${place + 1}, ${meanings[place]}`;
    });
    byId("progress").textContent = texts.progress(this.#reading, trial);
    Object.assign(byId("bar"), { max: trial.of, value: trial.place - 1 });
    this.hint("");
  }

  /** Show what is chosen and what can be chosen. */
  refresh(now) {
    const reading = this.#reading;
    this.#choices.forEach((made, place) => {
      press(made, now.answer === reading.answers[place]);
      made.disabled = !can(reading, now, "answer");
    });
    this.#levels.forEach((made, place) => {
      press(made, now.level === reading.levels[place]);
      made.disabled = !can(reading, now, "level");
    });
    const feedback = now.state === "feedback" ? now.feedback : null;
    byId("next").disabled = !can(reading, now, "commit") && feedback === null;
    byId("verdict").hidden = feedback === null;
    byId("mouse").hidden = feedback !== null;
    if (feedback !== null) byId("verdict").textContent = texts.feedback(reading, feedback);
    if (now.state === SAVING) this.hint(texts.SAVING);
    else if (feedback !== null) this.hint("");
    this.#refreshMarks(now);
  }

  /** Show the controls of slices, or of the projection. */
  showView(view, brightness) {
    const [slices, projection] = this.#touch
      ? [texts.TOUCH, texts.TOUCH_MIP]
      : [texts.MOUSE, texts.MOUSE_MIP];
    byId("mouse").replaceChildren(
      ...(view.mip ? projection : slices).flatMap(([what, effect]) => [
        make("dt", { textContent: what }),
        make("dd", { textContent: effect }),
      ]),
    );
    press(byId("mip"), view.mip);
    press(byId("brightness"), brightness);
    byId("sides").hidden = !view.mip;
    for (const side of byId("sides").children) {
      const { direction, up } = SIDES[side.dataset.side];
      press(side, String([direction, up]) === String([view.direction, view.up]));
    }
  }

  hint(text) {
    byId("hint").textContent = text;
  }

  #refreshMarks(now) {
    const allowed = marking(this.#reading, now);
    byId("marks").classList.toggle("absent", !allowed);
    const count = now.marks.length;
    byId("marks-text").textContent = texts.marksSoFar(
      count,
      this.#reading.marks,
      this.#touch,
    );
    this.#reasons.forEach((made, place) => {
      made.disabled = !allowed || count === 0;
      press(made, count > 0 && now.marks.at(-1).reasons.includes(this.#reading.reasons[place]));
    });
    byId("undo").disabled = !allowed || count === 0;
  }
}

function press(button, pressed) {
  button.setAttribute("aria-pressed", String(pressed));
}
