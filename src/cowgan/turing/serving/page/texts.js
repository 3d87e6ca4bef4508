/**
 * Texts of the page. Those that the reading window shows too are worded alike, which a test
 * compares, so that both ask the same of a reader. `<b>` is the only markup.
 *
 * @typedef {{title: string, body: string[], goOn: string, other?: string, also?: string[],
 *   note?: string, code?: string, deliberate?: boolean}} Text
 */

export const ANSWERS = { rating: ["Real", "Generated"], "2afc": ["Left", "Right"] };
export const ANSWER_KEYS = { rating: ["R", "G"], "2afc": ["←", "→"] };
export const SIDES = ["Left", "Right"];
export const CONFIDENCE = ["guess", "unsure", "fairly sure", "very sure", "certain"];
export const QUALITY = ["poor", "fair", "good", "very good", "excellent"];
export const HINT = "No hurry: a guess is fine.";
export const LOADING = "Loading…";
export const SAVING = "Saving…";
export const MOUSE = [
  ["Wheel, ↑ ↓", "slices"],
  ["Drag", "window, level"],
  ["Right drag", "zoom"],
  ["Shift + drag", "move"],
];
export const MOUSE_MIP = [
  ["Drag", "turn"],
  ["Ctrl + drag", "window, level"],
  ["Wheel", "zoom"],
  ["Shift + drag", "move"],
];
export const TOUCH = [
  ["Swipe ↑ ↓", "slices"],
  ["Two fingers", "zoom, move"],
];
export const TOUCH_MIP = [
  ["Swipe", "turn"],
  ["Two fingers", "zoom, move"],
];

const SIDES_OF_PATIENT =
  "Slices are axial and seen from below, as usual: the patient's right (R) is on the left of " +
  "the image, the front (A) at the top. The letters stay on the image.";
const HOW_TO_LOOK =
  "Turn the wheel to go through the slices. Drag with the left button for brightness and " +
  "contrast, with the right button to zoom, and with Shift held to move the image. <b>W</b> " +
  "resets brightness and contrast.";
const HOW_TO_TOUCH =
  "Swipe up or down with one finger to go through the slices. Spread two fingers to zoom, and " +
  "move both to move the image. After <b>Brightness</b>, one finger changes brightness and contrast.";
const MIP = " <b>M</b> switches to the projection (MIP), which you can turn by dragging.";
const MIP_BY_TOUCH = " <b>MIP</b> switches to the projection, which you can turn with one finger.";
const atEase = (touch) =>
  `Take all the time you need; there is no clock. <b>${touch ? "Pause" : "P"}</b> hides the image ` +
  "while you rest. Each answer is saved at once: you can close the window at any time and " +
  "continue later.";
const PLACES = {
  rating:
    " If you answer “Generated”, you may click up to three places that gave it away, and say why.",
  "2afc":
    " You may also click up to three places that gave the generated volume away, and say why.",
};

/** @returns {Text} Instructions of the phase that begins with a trial. */
export function instructions(reading, trial, touch = false) {
  const looking = touch
    ? HOW_TO_TOUCH + (reading.mip ? MIP_BY_TOUCH : "")
    : HOW_TO_LOOK + (reading.mip ? MIP : "");
  if (trial.phase === "impression") {
    return {
      title: "How good are these images?",
      body: [
        `You will see ${volumes(trial.of)}: MR angiography (TOF) of the arteries at the base of ` +
          "the brain. Please rate the quality of each from 1 (poor) to 5 (excellent), as you " +
          "would in your daily work.",
        SIDES_OF_PATIENT,
        looking,
        `${touch ? "Tap" : "Press"} a number from <b>1</b> to <b>5</b>, then ` +
          `<b>${touch ? "Next" : "Enter"}</b>. ${atEase(touch)}`,
      ],
      goOn: "Continue",
    };
  }
  if (trial.phase === "practice") {
    return {
      title: "First, some practice",
      body: [
        ...task(reading, touch),
        SIDES_OF_PATIENT,
        looking,
        `Practise on ${trials(reading, trial.of)}: you see the right answer after each, and they do ` +
          "not count.",
      ],
      goOn: "Start practice",
    };
  }
  if (reading.phases.some(({ phase }) => phase === "practice")) {
    return {
      title: "The reading begins",
      body: [
        `Now the reading itself: ${trials(reading, trial.of)}. It works like the practice, except ` +
          "that you no longer see the right answer.",
        atEase(touch),
      ],
      goOn: "Start reading",
    };
  }
  return {
    title: "The reading",
    body: [
      ...task(reading, touch),
      SIDES_OF_PATIENT,
      looking,
      `You will see ${trials(reading, trial.of)}. ${atEase(touch)}`,
    ],
    goOn: "Continue",
  };
}

export const DECLINE = "I do not take part";

/** @returns {Text} */
export function consent(reading, startCode) {
  const later =
    reading.phases[0].phase === "impression"
      ? " The purpose is explained in full before the second part."
      : "";
  return {
    title: "Taking part",
    body: [
      "Taking part is voluntary. You can stop at any time by closing the window, without giving " +
        `a reason.${later}`,
      "Your answers, their times and what you do with the images are recorded under the code of " +
        "this reading, not under your name. They are sent to the computer that this page comes " +
        "from, and to no other.",
      "The images are for research only, not for diagnosis.",
      ...(startCode
        ? [
            `Your start code is <b>${startCode}</b>. If you are asked for it, please report it ` +
              "before you continue. It proves later that you have read once.",
          ]
        : []),
    ],
    goOn: "I take part",
    other: DECLINE,
    deliberate: true,
  };
}

/** @type {Text} */
export const DECLINED = {
  title: "Thank you anyway",
  body: ["You do not take part, and nothing more is recorded. You can close this window."],
  goOn: "",
  note: "If you change your mind, open your link again.",
};

/** @type {Text} */
export const OPENING = { title: "One moment", body: ["Your reading is being opened."], goOn: "" };

const SAVE_RECEIPT = "Save receipt…";
export const COPY_CODE = "Copy code";
export const COPIED = "The code is copied.";
export const NOT_COPIED = "This browser does not let the page copy; please write the code down.";
export const RECEIPT_SAVED =
  "Your receipt is among your downloads. Keep it; it holds none of your answers.";

/** @returns {Text} */
export function finished(code, message) {
  return {
    title: "Finished. Thank you!",
    body: [
      "All your answers have been saved where the study is kept; there is nothing to send.",
      "Keep this code, or a receipt, for yourself. Either lets anybody check later that the study " +
        "and your answers were not changed.",
    ],
    goOn: SAVE_RECEIPT,
    also: [COPY_CODE],
    code,
    note: message || "The code is shown again whenever you open your link.",
    deliberate: true,
  };
}

/** @returns {Text} The page while answers have not reached the server. */
export function unsent(problem) {
  return {
    title: "Your last answers have not arrived yet",
    body: [`${problem} Your answers are kept in this browser, and sent as soon as possible.`],
    goOn: "Try again",
    note:
      "Please leave this window open until it works. If you cannot, open your link again later " +
      "in the same browser.",
  };
}

/** @returns {string} What is said over the image while nothing reaches the server. */
export function connection({ sentence }) {
  return `${sentence} Your answers are kept in this browser, and sent as soon as possible.`;
}

export const INCOMPLETE_LINK = "The address of this page is not a complete link.";

/** @returns {Text} The page without a valid link. */
export function noAccess(sentence) {
  return {
    title: "Please open your link",
    body: [sentence],
    goOn: "",
    note: "If it does not work, please ask whoever gave it to you for another.",
  };
}

/** @returns {Text} The page between two trials. */
export function ready(reading, state, touch = false) {
  let body = `${touch ? "Tap <b>Show</b>" : "Press <b>Enter</b>"} when you are ready.`;
  if (state.restarted) {
    body = "It was interrupted before you had finished, so it is shown again from the start.";
  } else if (state.returned && state.saved) {
    body = `Welcome back. Your ${saved(state.saved)}.`;
  }
  return { title: progress(reading, state.trial), body: [body], goOn: "Show" };
}

/** @returns {Text} */
export function pause(focusLost) {
  return {
    title: "Paused",
    body: [
      focusLost
        ? "You were in another window, so the image is hidden and the time does not count."
        : "The image is hidden, and the time does not count. Your answers so far are saved.",
    ],
    goOn: "Continue",
  };
}

/** @returns {Text} The page of a break. */
export function rest(trial) {
  return {
    title: "Time for a break",
    body: [
      `You have read ${trial.place - 1} of ${trial.of}. Rest your eyes for a few minutes, ` +
        "then continue when you like.",
      "You can also stop here and come back another day.",
    ],
    goOn: "Continue",
    note: "Everything is saved.",
  };
}

/** @type {Text} */
export const ELSEWHERE = {
  title: "This reading is open in another window",
  body: [
    "It can be read in one window at a time. Continue there, or take over here: the other window " +
      "then stops, and nothing is lost.",
  ],
  goOn: "Continue here",
};

/** @returns {Text} The page when a reading cannot start or continue. */
export function broken(sentence) {
  return {
    title: "This reading cannot continue",
    body: [sentence],
    goOn: "Try again",
    note: "If it happens again, please tell whoever gave you the link. Answers that you have given are saved.",
  };
}

/** @returns {string} What is said after a practice trial. */
export function feedback({ design, answers }, { expected, correct }) {
  const right = ANSWERS[design][answers.indexOf(expected)].toLowerCase();
  const what = design === "rating" ? `It is ${right}` : `The ${right} one is generated`;
  return `${correct ? "Correct" : "Not quite"}. ${what}.`;
}

export function caption(view, slices) {
  return view.mip ? "Projection (MIP)" : `Slice ${view.slice + 1} of ${slices}`;
}

export function question(design, trial) {
  if (trial.phase === "impression") return "How good is this image?";
  return design === "2afc" ? "Which one is generated?" : "Real or generated?";
}

/** @returns {string} What is said beside the reasons of the last mark. */
export function marksSoFar(count, most, touch) {
  if (count === 0) return `${touch ? "Tap" : "Click"} the location, if you like.`;
  return count < most ? `Location ${count}: why? Or another.` : `Location ${count}: why?`;
}

/** @returns {string} The reader's progress within the phase. */
export function progress(reading, trial) {
  const names = { impression: "Image", practice: "Practice", reading: "Case" };
  const pairs = trial.phase === "reading" && reading.design === "2afc";
  return `${pairs ? "Pair" : names[trial.phase]} ${trial.place} of ${trial.of}`;
}

function task(reading, touch) {
  const places = reading.marks
    ? PLACES[reading.design].replace("click", touch ? "tap" : "click")
    : "";
  const confidence =
    "Then say how sure you are, from <b>1</b> (a guess) to <b>5</b> (certain), and " +
    (touch ? "tap <b>Next</b>." : "press <b>Enter</b>.");
  if (reading.design === "2afc") {
    return [
      "You will see pairs of MR angiographies (TOF) of the arteries at the base of the brain. In " +
        "each pair, one is a scan of a person and one was generated by a computer program. Which " +
        "one was generated?",
      (touch
        ? "Tap <b>Left</b> if it is the left one, <b>Right</b> if it is the right one. "
        : "Press <b>←</b> if it is the left one, <b>→</b> if it is the right one. ") +
        confidence +
        places,
    ];
  }
  return [
    "You will see MR angiographies (TOF) of the arteries at the base of the brain. Some are scans " +
      "of people; between 30 and 70 % were generated by a computer program. Which is which?",
    (touch
      ? "Tap <b>Real</b> or <b>Generated</b>. "
      : "Press <b>R</b> for real or <b>G</b> for generated. ") +
      `${confidence} Until then you can change your answer.${places}`,
  ];
}

const volumes = (count) => (count === 1 ? "one volume" : `${count} volumes`);

function trials(reading, count) {
  const thing = reading.design === "2afc" ? "pair" : "case";
  return count === 1 ? `one ${thing}` : `${count} ${thing}s`;
}

const saved = (count) =>
  count === 1 ? "first answer is saved" : `first ${count} answers are saved`;
