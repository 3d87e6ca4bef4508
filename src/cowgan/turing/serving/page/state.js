/**
 * What a reading is like while the server has not yet confirmed the latest actions.
 *
 * The server decides. The page shows at once what follows from its last answer and the actions
 * that it has not answered, so that a case can be read through a lost connection.
 *
 * @typedef {object} State A reading's state, as the server describes it.
 * @typedef {{kind: string, data: object, at_ms: number}} Action
 */

const ON_SCREEN = ["viewing", "confidence", "rated"];
const ANSWERED = ["confidence", "rated"];
const BETWEEN = ["ready", "feedback", "break"];
const PAUSABLE = [...BETWEEN, "loading", ...ON_SCREEN];

/** Only the server knows what follows: a right answer, or names of volumes. */
export const WAITING = "waiting";
/** The same after an answer, which must reach the disk first. */
export const SAVING = "saving";

/** @returns {boolean} Whether the image of the trial is, or is about to be, on screen. */
export function withImage({ state }) {
  return ["loading", "feedback", SAVING, ...ON_SCREEN].includes(state);
}

/** @returns {boolean} Whether the image of the trial is on screen. */
export function onScreen({ state }) {
  return state === "feedback" || ON_SCREEN.includes(state);
}

/** @returns {boolean} Whether the reader is judging the image. */
export function judging({ state }) {
  return ON_SCREEN.includes(state);
}

/** @returns {boolean} Whether places can be marked: on a volume called generated. */
export function marking(reading, { state, trial, answer }) {
  return (
    reading.marks > 0 &&
    trial?.phase !== "impression" &&
    ANSWERED.includes(state) &&
    // The first answer of a rating is "real".
    (reading.design === "2afc" || answer === reading.answers[1])
  );
}

/** @returns {boolean} Whether a kind of action is possible now. */
export function can(reading, now, kind) {
  const { state, trial } = now;
  switch (kind) {
    case "understood":
      return state === "instructions";
    case "consent":
      return state === "consent";
    case "proceed":
      return BETWEEN.includes(state);
    case "answer":
      return judging(now) && trial.phase !== "impression";
    case "level":
      return judging(now) && (ANSWERED.includes(state) || trial.phase === "impression");
    case "mark":
      return marking(reading, now) && now.marks.length < reading.marks;
    case "undo_mark":
    case "toggle_reason":
      return marking(reading, now) && now.marks.length > 0;
    case "commit":
      return state === "rated";
    case "pause":
      return PAUSABLE.includes(state);
    case "unpause":
      return state === "paused";
    default:
      return true;
  }
}

/**
 * Return the state after an action that is possible.
 *
 * @param {object} reading Constants of the reading.
 * @param {State} now State before it.
 * @param {Action} action What the reader did.
 * @returns {State}
 */
export function after(reading, now, { kind, data, at_ms }) {
  switch (kind) {
    case "understood":
      // Volumes are named only after consent.
      return { ...now, state: now.trial.volumes.length > 0 ? "ready" : "consent" };
    case "consent":
      return { ...now, state: data.given ? WAITING : "declined" };
    case "proceed":
      if (now.state === "feedback") return following(now, at_ms, WAITING);
      return { ...now, state: now.state === "ready" ? "loading" : "ready" };
    case "shown":
      return { ...now, state: "viewing", returned: false };
    case "answer": {
      const answered = { ...now, state: "confidence", answer: data.answer, level: null };
      return marking(reading, answered) ? answered : { ...answered, marks: [] };
    }
    case "level":
      return { ...now, state: "rated", level: data.level };
    case "mark":
      return { ...now, marks: [...now.marks, { ...data, reasons: [] }] };
    case "undo_mark":
      return { ...now, marks: now.marks.slice(0, -1) };
    case "toggle_reason": {
      const { reasons, ...mark } = now.marks.at(-1);
      const changed = reasons.includes(data.reason)
        ? reasons.filter((reason) => reason !== data.reason)
        : [...reasons, data.reason];
      return { ...now, marks: [...now.marks.slice(0, -1), { ...mark, reasons: changed }] };
    }
    case "commit":
      // What follows practice is the right answer, which the page does not know.
      if (now.trial.phase === "practice") return { ...now, state: SAVING };
      return following(now, at_ms, SAVING);
    case "pause":
      return { ...now, state: "paused", before_pause: now.state };
    case "unpause":
      return { ...now, state: now.before_pause, before_pause: null };
    default:
      return now;
  }
}

/** The state after the present trial, if the server has said what comes next. */
function following(now, atMs, otherwise) {
  if (!now.next) return { ...now, state: otherwise };
  const { break_at_ms: breakAtMs, ...next } = now.next;
  const rests = breakAtMs !== null && atMs >= breakAtMs;
  return {
    ...now,
    ...next,
    state: rests ? "break" : next.state,
    next: null,
    upcoming: [],
    answer: null,
    level: null,
    marks: [],
    restarted: false,
    feedback: null,
  };
}
